/** Verifies that a token was signed by a key of its issuer. */
import { compactVerify, errors } from 'jose';
import type { KeySet } from './key-set.js';
import { Refused } from './token.js';
import type { TrustKeys } from './trust-keys.js';

/** Returns the key set that verified the signature. Throws Refused when none does, also after the keys were read again. */
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

/** A JWT-SVID may have no `kid`: then every key of a fitting type is tried. The key set bounds their number. */
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
      // The next candidate may verify the signature.
    }
  }
  return false;
}
