/** Whether a token was signed by a key of its issuer. */
import { compactVerify, errors } from 'jose';
import type { KeySet } from './key-set.js';
import { Refused } from './token.js';
import type { TrustKeys } from './trust-keys.js';

/** Answers the keys that it was verified with. */
export async function verifySignature(token: string, trustKeys: TrustKeys, algorithms: string[]): Promise<KeySet> {
  const keys = await trustKeys.current();
  if ((await outcome(token, keys, algorithms)) === 'verified') return keys;
  const renewed = await trustKeys.renewed();
  if (renewed !== keys && (await outcome(token, renewed, algorithms)) === 'verified') return renewed;
  throw new Refused('names no key of its issuer');
}

async function outcome(token: string, keys: KeySet, algorithms: string[]): Promise<'verified' | 'no key'> {
  try {
    await compactVerify(token, keys.find, { algorithms });
    return 'verified';
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'no key';
    if (error instanceof errors.JWKSMultipleMatchingKeys && (await isSignedByOneOf(error, token, algorithms))) {
      return 'verified';
    }
    throw new Refused('is not signed by a key of its issuer');
  }
}

/** `kid` is optional in a JWT-SVID: without it every key that fits is tried. Their number is bounded by the key set. */
async function isSignedByOneOf(
  candidates: errors.JWKSMultipleMatchingKeys,
  token: string,
  algorithms: string[],
): Promise<boolean> {
  for await (const key of candidates) {
    try {
      await compactVerify(token, key, { algorithms });
      return true;
    } catch {
      // Not this one.
    }
  }
  return false;
}
