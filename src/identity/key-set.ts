/** Parses a JWKS document into the public keys that may verify signatures. */
import { createPublicKey } from 'node:crypto';
import { createLocalJWKSet, type JWK, type JWTVerifyGetKey } from 'jose';
import { isObject, type JsonObject, readDocument } from './json-object.js';

/** The keys of an issuer. Callers compare it by identity: another object means that the keys changed. */
export interface KeySet {
  find: JWTVerifyGetKey;
}

const KEYS_MAX = 64;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/** Throws when the document as a whole cannot be trusted. A single unfit key is left out. */
export function readKeySet(text: string, kind: 'jwks' | 'spiffe-bundle'): KeySet {
  const { keys } = readDocument(text);
  if (!Array.isArray(keys)) throw new Error('the key document is not a JWKS');
  if (keys.length > KEYS_MAX) throw new Error(`the JWKS has more than ${KEYS_MAX} keys`);
  if (!keys.every(isObject)) throw new Error('the key document is not a JWKS');
  // An issuer that published a private key let anybody sign. Its other keys cannot be trusted either.
  if (keys.some((key) => PRIVATE_MEMBERS.some((member) => Object.hasOwn(key, member)))) {
    throw new Error('the JWKS contains private or symmetric keys');
  }
  const usable = kind === 'spiffe-bundle' ? keys.filter(isForJwtSvid).map(forSignatures) : keys;
  return { find: createLocalJWKSet({ keys: usable.filter(isStrong) }) };
}

/**
 * Returns whether the key verifies JWT-SVIDs. SPIFFE bundle §4.2.2: keys for other kinds of document are ignored, and a
 * JWT-SVID key must have a `kid`.
 */
const isForJwtSvid = (key: JsonObject): boolean => key['use'] === 'jwt-svid' && typeof key['kid'] === 'string';

/** Returns the key as one for signatures. jose accepts no other `use` than `sig`. */
const forSignatures = (key: JsonObject): JsonObject => ({ ...key, use: 'sig' });

function isStrong(key: JsonObject): key is JWK & { kty: string } {
  try {
    // createPublicKey throws for unknown key types, and for points that are not on their curve.
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey({ key: { ...key }, format: 'jwk' });
    if (asymmetricKeyType !== 'rsa') return true;
    const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {};
    // With e = 1 every message is its own signature. The upper bounds keep a verification cheap.
    return modulusLength >= 2048 && modulusLength <= 8192 && publicExponent >= 65_537n && publicExponent < 2n ** 32n;
  } catch {
    return false;
  }
}
