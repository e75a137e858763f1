/**
 * A private certificate authority and one server certificate for 127.0.0.1 and the given names. Written out in DER because a
 * fresh machine need not have `openssl`. Valid 2020–2049 by the real clock, which is the one TLS asks.
 */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

export interface ServerCertificate {
  /** PEM, all of them. */
  authority: string;
  certificate: string;
  key: string;
}

export function createServerCertificate(names: readonly string[] = ['localhost']): ServerCertificate {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isAuthority = extension('551d13', sequence(tlv(0x01, Buffer.from([0xff]))));
  const hosts = extension(
    '551d11',
    sequence(tlv(0x87, Buffer.from([127, 0, 0, 1])), ...names.map((name) => tlv(0x82, Buffer.from(name)))),
  );
  const signedBy = (subject: string, key: KeyObject, extra: Buffer) =>
    certificate({ issuer: 'test authority', subject, key, extra, signer: authority.privateKey });
  return {
    authority: signedBy('test authority', authority.publicKey, isAuthority),
    certificate: signedBy('test server', server.publicKey, hosts),
    key: server.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
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
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

function tlv(tag: number, ...contents: Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...contents: Buffer[]): Buffer => tlv(0x30, ...contents);
const integer = (value: number): Buffer => tlv(0x02, Buffer.from([value]));
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'));
const utcTime = (text: string): Buffer => tlv(0x17, Buffer.from(text));
const name = (commonName: string): Buffer =>
  sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from(commonName)))));
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), tlv(0x04, value));
