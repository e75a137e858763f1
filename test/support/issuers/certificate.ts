/**
 * Private certificate authorities, and certificates for servers on 127.0.0.1. Written out in DER because a fresh machine need not
 * have `openssl`. Valid 2020–2049 by the real clock, which is the one TLS asks. With all that a strict verifier wants (RFC 5280
 * §4.2.1), such as Python from 3.13 on.
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export interface ServerCertificate {
  /** PEM, all of them. */
  authority: string;
  certificate: string;
  key: string;
}

interface Wish {
  /** Host names; default: localhost. 127.0.0.1 is always there. */
  names?: readonly string[];
  /** URIs, such as a SPIFFE ID. */
  uris?: readonly string[];
  /** The certificate says that it is an authority itself. */
  isAuthority?: boolean;
}

export const createServerCertificate = (names?: readonly string[]): ServerCertificate =>
  createAuthority().issue(names ? { names } : {});

export interface TestAuthority {
  /** PEM. */
  certificate: string;
  issue(wish: Wish): ServerCertificate;
}

export function createAuthority(): TestAuthority {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // TLS looks for the authority of a certificate by its name.
  const issuer = `test authority ${randomBytes(8).toString('hex')}`;
  const signedBy = (subject: string, key: KeyObject, extra: Buffer) =>
    certificate({ issuer, subject, key, extra, signer: authority.privateKey });
  const own = signedBy(issuer, authority.publicKey, IS_AUTHORITY);
  return {
    certificate: own,
    issue({ names = ['localhost'], uris = [], isAuthority = false }) {
      const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const alternatives = sequence(
        tlv(0x87, Buffer.from([127, 0, 0, 1])),
        ...names.map((name) => tlv(0x82, Buffer.from(name))),
        ...uris.map((uri) => tlv(0x86, Buffer.from(uri))),
      );
      const extra = Buffer.concat([
        extension('551d11', alternatives),
        BY_AUTHORITY,
        ...(isAuthority ? [IS_AUTHORITY] : []),
      ]);
      return {
        authority: own,
        certificate: signedBy('test server', server.publicKey, extra),
        key: server.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      };
    },
  };
}

/** RFC 5280 §4.1. */
function certificate(parts: {
  issuer: string;
  subject: string;
  key: KeyObject;
  extra: Buffer;
  signer: KeyObject;
}): string {
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const version3 = tlv(0xa0, integer(2));
  const toSign = sequence(
    version3,
    integer(parts.subject.length),
    ecdsaWithSha256,
    name(parts.issuer),
    sequence(utcTime('200101000000Z'), utcTime('491231235959Z')),
    name(parts.subject),
    parts.key.export({ format: 'der', type: 'spki' }),
    tlv(0xa3, sequence(parts.extra)),
  );
  const signature = tlv(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', toSign, parts.signer)]));
  const base64 = sequence(toSign, ecdsaWithSha256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${(base64.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`;
}

function tlv(tag: number, ...contents: Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  const long = body.length < 256 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 0xff];
  const length = body.length < 128 ? [body.length] : long;
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...contents: Buffer[]): Buffer => tlv(0x30, ...contents);
const integer = (value: number): Buffer => tlv(0x02, Buffer.from([value]));
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'));
const utcTime = (text: string): Buffer => tlv(0x17, Buffer.from(text));
const name = (commonName: string): Buffer =>
  sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from(commonName)))));
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), tlv(0x04, value));
const critical = (id: string, value: Buffer): Buffer => sequence(oid(id), TRUE, tlv(0x04, value));
const TRUE = tlv(0x01, Buffer.from([0xff]));
const KEY_ID = Buffer.from('test authority');
const IS_AUTHORITY = Buffer.concat([
  critical('551d13', sequence(TRUE)),
  critical('551d0f', tlv(0x03, Buffer.from([2, 0b100]))), // keyCertSign
  extension('551d0e', tlv(0x04, KEY_ID)),
]);
const BY_AUTHORITY = extension('551d23', sequence(tlv(0x80, KEY_ID)));
