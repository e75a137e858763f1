/** Verifies that a token was signed by a key of its issuer. */
import { compactVerify, decodeProtectedHeader, errors } from 'jose';
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
    if (error instanceof errors.JWKSMultipleMatchingKeys && (await isSignedByOne(token, error, algorithms)))
      return undefined;
    return 'is not signed by a key of its issuer';
  }
}

/** An issuer that gives all its keys one `kid` has two under it while it replaces one. More are work that anybody can ask for. */
const NAMESAKES_MAX = 4;

async function isSignedByOne(
  token: string,
  candidates: errors.JWKSMultipleMatchingKeys,
  algorithms: string[],
): Promise<boolean> {
  // A JWT-SVID may have no `kid` (§2.2). Anybody can send one, and to try every key of the issuer is work without bound.
  if (decodeProtectedHeader(token).kid === undefined)
    throw new Refused('does not say by kid which of several keys of its issuer has signed it');
  let left = NAMESAKES_MAX;
  for await (const key of candidates) {
    if ((left -= 1) < 0) return false;
    const isSigner = await compactVerify(token, key, { algorithms }).then(
      () => true,
      () => false,
    );
    if (isSigner) return true;
  }
  return false;
}

const notYet = (againInMs: number): BrokerError =>
  new BrokerError(
    'temporarily_unavailable',
    "The token fits no key of its issuer. The issuer's keys were read a moment ago: whether there is a new one is seen after Retry-After.",
    { retryAfterSeconds: Math.ceil(againInMs / 1000), isOutage: false },
  );
