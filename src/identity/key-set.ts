/** Reads a JWKS document into the public keys that may verify signatures, and nothing else. */
import { createPublicKey } from 'node:crypto';
import { createLocalJWKSet, type JWK, type JWTVerifyGetKey } from 'jose';
import { isObject, type JsonObject, readDocument } from './json-object.js';

/** Compared by identity: another object means the keys changed. */
export interface KeySet {
  find: JWTVerifyGetKey;
}

const KEYS_MAX = 64;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/** Throws when the document as a whole cannot be trusted; a single key that is unfit is left out. */
export function readKeySet(text: string, kind: 'jwks' | 'spiffe-bundle'): KeySet {
  const { keys } = readDocument(text);
  if (!Array.isArray(keys) || !keys.every(isObject)) throw new Error('the key document is not a JWKS');
  if (keys.length > KEYS_MAX) throw new Error(`the JWKS has more than ${KEYS_MAX} keys`);
  // Whoever published a private key published the power to sign: none of its neighbours is worth more.
  if (keys.some((key) => PRIVATE_MEMBERS.some((member) => Object.hasOwn(key, member)))) {
    throw new Error('the JWKS contains private or symmetric keys');
  }
  const usable = kind === 'spiffe-bundle' ? keys.filter(isForJwtSvid).map(forSignatures) : keys;
  return { find: createLocalJWKSet({ keys: usable.filter(isStrong) }) };
}

/** SPIFFE bundle §4.2.2: keys for other documents are ignored, and a JWT-SVID key must have a kid. */
const isForJwtSvid = (key: JsonObject): boolean => key['use'] === 'jwt-svid' && typeof key['kid'] === 'string';

/** jose knows `use: sig` only. */
const forSignatures = (key: JsonObject): JsonObject => ({ ...key, use: 'sig' });

function isStrong(key: JsonObject): key is JWK & { kty: string } {
  try {
    // Refuses unknown key types, and points that are not on their curve.
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey({ key: { ...key }, format: 'jwk' });
    if (asymmetricKeyType !== 'rsa') return true;
    const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {};
    // e = 1 makes every message its own signature; the upper bounds keep a verification cheap.
    return modulusLength >= 2048 && modulusLength <= 8192 && publicExponent >= 65_537n && publicExponent < 2n ** 32n;
  } catch {
    return false;
  }
}
