/**
 * Reads a key document, a JWKS or a SPIFFE bundle, whether a file has it or an issuer serves it. `mayfly check-config` and the
 * running broker judge by this one function.
 */
import { createPublicKey } from 'node:crypto';
import { isObject, readObject, withoutMark, type JsonObject } from '../domain/json-object.js';

export type KeyDocumentKind = 'jwks' | 'spiffe-bundle';

/** The keys of a document that can verify a signature, or why nothing in it is believed: the end of "the file …". */
type KeyDocument = { keys: (JsonObject & { kty: string })[] } | { problem: string };

const NONE = {
  jwks: 'has no key that could verify a token: nobody of this issuer is let in',
  'spiffe-bundle': 'has no key for JWT-SVIDs (`use: jwt-svid`, with a `kid`): nobody of this trust domain is let in',
} as const;

/** Returns what to warn of in a document that is sound as such. An empty one may be meant: its issuer vouches for nobody any more. */
export function keyDocumentWarning(text: string, kind: KeyDocumentKind): string | undefined {
  const document = readKeyDocument(text, kind);
  return 'keys' in document && document.keys.length === 0 ? NONE[kind] : undefined;
}

/**
 * The size of a document is its one limit. Keys are not counted: an issuer would be cut off by one key too many, and the cost of a
 * document follows from its size.
 */
export const KEY_DOCUMENT_BYTES_MAX = 256 * 1024;

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const PRIVATE =
  'has a private or symmetric key: whoever reads it can sign as this issuer. Name a document of public keys alone, and replace this key';

export function readKeyDocument(text: string, kind: KeyDocumentKind): KeyDocument {
  if (text.length > KEY_DOCUMENT_BYTES_MAX) return { problem: `is larger than ${KEY_DOCUMENT_BYTES_MAX / 1024} KiB` };
  const document = readObject(withoutMark(text));
  if (document === undefined) return { problem: formOf(text) };
  const { keys } = document;
  // An issuer that published a private key let anybody sign. Its other keys cannot be trusted either.
  if ((Array.isArray(keys) ? keys : [document]).some(isPrivate)) return { problem: PRIVATE };
  if (!Array.isArray(keys) || !keys.every(isObject)) return { problem: otherThanKeys(document, kind) };
  const meant = kind === 'spiffe-bundle' ? keys.filter(isForJwtSvid).map(forSignatures) : keys;
  return { keys: meant.map(withOneName).filter(canVerify) };
}

const isPrivate = (key: unknown): boolean =>
  isObject(key) && PRIVATE_MEMBERS.some((member) => Object.hasOwn(key, member));

/** Returns what a text is that is no JSON object. Nothing of it is repeated: it may be a secret. */
export function formOf(text: string): string {
  if (text.trim() === '') return 'is empty';
  if (text.includes('\0')) return 'is UTF-16 or no text: write it as UTF-8';
  const [, label] = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text) ?? [];
  if (label?.endsWith('PRIVATE KEY')) return PRIVATE;
  if (label !== undefined) return 'is PEM: keys are read as a JWKS, which is JSON (RFC 7517)';
  if (/^\s*</.test(withoutMark(text))) return 'is HTML or XML, perhaps the page of an error or of a login';
  return 'is not a JSON object';
}

function otherThanKeys(document: JsonObject, kind: KeyDocumentKind): string {
  if (Object.hasOwn(document, 'jwks_uri')) return 'is a discovery document: name what its jwks_uri serves';
  if (Object.hasOwn(document, 'kty')) return 'is one key: write it as {"keys": [ … ]}';
  const form = kind === 'jwks' ? 'a JWKS' : 'a SPIFFE bundle, as `spire-server bundle show -format spiffe` writes it';
  return `has no list of keys: it must be ${form}`;
}

/**
 * Returns whether the key verifies JWT-SVIDs. SPIFFE bundle §4.2.2: keys for other kinds of document are ignored, and a
 * JWT-SVID key must have a `kid`.
 */
const isForJwtSvid = (key: JsonObject): boolean => key['use'] === 'jwt-svid' && typeof key['kid'] === 'string';

/** Returns the key as one for signatures. jose accepts no other `use` than `sig`. */
const forSignatures = (key: JsonObject): JsonObject => ({ ...key, use: 'sig' });

/** The algorithm of Ed25519 has two names, EdDSA (RFC 8037) and Ed25519 (RFC 9864), and such a key has no other: neither is compared. */
function withOneName(key: JsonObject): JsonObject {
  const { alg, ...rest } = key;
  return key['crv'] === 'Ed25519' && (alg === 'EdDSA' || alg === 'Ed25519') ? rest : key;
}

const CURVES: readonly unknown[] = ['P-256', 'P-384', 'P-521', 'Ed25519'];

/** A key on a curve is looked at closely when it is first used: for many of them at once that is the work of a second. */
function canVerify(key: JsonObject): key is JsonObject & { kty: string } {
  const { kty, use, crv } = key;
  if (use !== undefined && use !== 'sig') return false;
  return kty === 'RSA' ? isStrongRsa(key) : (kty === 'EC' || kty === 'OKP') && CURVES.includes(crv);
}

function isStrongRsa(key: JsonObject): boolean {
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: { ...key }, format: 'jwk' });
    const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {};
    // With e = 1 every message is its own signature. The upper bounds keep a verification cheap.
    return modulusLength >= 2048 && modulusLength <= 8192 && publicExponent >= 65_537n && publicExponent < 2n ** 32n;
  } catch {
    return false;
  }
}
