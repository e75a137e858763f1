/** Verifies that a token was signed by a key of its issuer. */
import { compactVerify, errors } from 'jose';
import { BrokerError } from '../domain/errors.js';
import type { KeySet } from './key-set.js';
import { Refused } from './token.js';
import type { TrustKeys } from './trust-keys.js';

/**
 * Returns the key set that verified the signature. Where none does, the keys are read again: the issuer may have a new key, also
 * under a `kid` that it used before. Throws Refused when none does then either, and `temporarily_unavailable` while the keys may
 * not be read again yet: nobody knows then whether the token is good, and "never" would be wrong for the first tokens after a
 * rotation.
 */
export async function verifySignature(token: string, trustKeys: TrustKeys, algorithms: string[]): Promise<KeySet> {
  const keys = await trustKeys.current();
  const first = await problemOf(token, keys, algorithms);
  if (first === undefined) return keys;
  const { keys: renewed, againInMs } = await trustKeys.renewed();
  const problem = renewed === keys ? first : await problemOf(token, renewed, algorithms);
  if (problem === undefined) return renewed;
  if (againInMs > 0) throw notYet(againInMs);
  throw new Refused(problem);
}

type Problem = 'names no key of its issuer' | 'is not signed by a key of its issuer';

async function problemOf(token: string, keys: KeySet, algorithms: string[]): Promise<Problem | undefined> {
  try {
    await compactVerify(token, keys.find, { algorithms });
    return undefined;
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'names no key of its issuer';
    // A JWT-SVID may have no `kid` (§2.2). Anybody can send one, and to try every key of the issuer is work without bound.
    if (error instanceof errors.JWKSMultipleMatchingKeys)
      throw new Refused('does not say by kid which of several keys of its issuer has signed it');
    return 'is not signed by a key of its issuer';
  }
}

const notYet = (againInMs: number): BrokerError =>
  new BrokerError(
    'temporarily_unavailable',
    "The token fits no key of its issuer. The issuer's keys were read a moment ago: whether there is a new one is seen after Retry-After.",
    { retryAfterSeconds: Math.ceil(againInMs / 1000), isOutage: false },
  );
