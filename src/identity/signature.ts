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
    // A JWT-SVID may have no `kid` (§2.2). Anybody can send one, and to try every key of the issuer is work without bound.
    if (error instanceof errors.JWKSMultipleMatchingKeys)
      throw new Refused('does not say by kid which of several keys of its issuer has signed it');
    throw new Refused('is not signed by a key of its issuer');
  }
}
