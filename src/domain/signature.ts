/**
 * Signatures that are verified on this thread. Web Crypto verifies on another one; the way there and back costs as much as RS256
 * itself, and a quarter of ES256 (docs/performance.md). Dearer algorithms stay there: a flood of them must not hold up others.
 */
import { verify, type KeyObject } from 'node:crypto';

/** The algorithms, each with the type of its keys. */
const KEY_TYPES = { ES256: 'ec', RS256: 'rsa' };

type CheapAlgorithm = keyof typeof KEY_TYPES;

export const isCheap = (algorithm: string): algorithm is CheapAlgorithm => Object.hasOwn(KEY_TYPES, algorithm);

/**
 * Returns whether the key signed the token by this algorithm. Whoever asks has compared the algorithm with the header.
 * @param token in compact form (RFC 7515 §7.1)
 * @param key of ES256: on the curve P-256
 */
export function isSignedBy(key: KeyObject, algorithm: CheapAlgorithm, token: string): boolean {
  if (key.asymmetricKeyType !== KEY_TYPES[algorithm]) return false;
  const end = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  // Two numbers side by side, not DER (RFC 7518 §3.4). RSA has no such choice.
  return verify('sha256', Buffer.from(token.slice(0, end)), { key, dsaEncoding: 'ieee-p1363' }, signature);
}
