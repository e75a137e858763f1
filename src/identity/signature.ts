/** Verifies that a token was signed by a key of its issuer. */
import { KeyObject } from 'node:crypto';
import { compactVerify, errors, type CryptoKey } from 'jose';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { isCheap, isSignedBy } from '../domain/signature.js';
import type { KeySet } from './key-set.js';
import { Refused, type Signed } from './token.js';
import type { TrustKeys } from './trust-keys.js';

/**
 * Returns the key set that verified the signature. Where none does, the keys are read again: the issuer may have a new key, also
 * under a `kid` that it used before. Throws Refused when none does then either, and `temporarily_unavailable` while the keys may
 * not be read again yet: nobody knows then whether the token is good, and "never" would be wrong for the first tokens after a
 * rotation.
 */
export async function verifySignature(token: Signed, trustKeys: TrustKeys): Promise<KeySet> {
  const keys = await trustKeys.current();
  const first = await problemOf(token, keys);
  if (first === undefined) return keys;
  const { keys: renewed, againInMs } = await trustKeys.renewed();
  const problem = renewed === keys ? first : await problemOf(token, renewed);
  if (problem === undefined) return renewed;
  if (againInMs > 0) throw notYet(againInMs);
  throw new Refused(problem);
}

type Problem = 'names no key of its issuer' | 'is not signed by a key of its issuer';

async function problemOf(token: Signed, keys: KeySet): Promise<Problem | undefined> {
  try {
    const { alg, kid } = token;
    const key = await keys.find(defined({ alg, kid }));
    return (await isSignedWith(key, token)) ? undefined : 'is not signed by a key of its issuer';
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'names no key of its issuer';
    if (error instanceof errors.JWKSMultipleMatchingKeys && (await isSignedByOne(token, error))) return undefined;
    return 'is not signed by a key of its issuer';
  }
}

/** An issuer that gives all its keys one `kid` has two under it while it replaces one. More are work that anybody can ask for. */
const NAMESAKES_MAX = 4;

async function isSignedByOne(token: Signed, candidates: errors.JWKSMultipleMatchingKeys): Promise<boolean> {
  // A JWT-SVID may have no `kid` (§2.2). Anybody can send one, and to try every key of the issuer is work without bound.
  if (token.kid === undefined)
    throw new Refused('does not say by kid which of several keys of its issuer has signed it');
  let left = NAMESAKES_MAX;
  for await (const key of candidates) {
    if ((left -= 1) < 0) return false;
    if (await isSignedWith(key, token)) return true;
  }
  return false;
}

/** @param key One that fits the algorithm. */
async function isSignedWith(key: CryptoKey, { text, alg }: Signed): Promise<boolean> {
  if (isCheap(alg)) return isSignedBy(KeyObject.from(key), alg, text);
  return compactVerify(text, key, { algorithms: [alg] }).then(
    () => true,
    () => false,
  );
}

const notYet = (againInMs: number): BrokerError =>
  new BrokerError(
    'temporarily_unavailable',
    "The token fits no key of its issuer. The issuer's keys were read a moment ago: whether there is a new one is seen after Retry-After.",
    { retryAfterSeconds: Math.ceil(againInMs / 1000), isOutage: false },
  );
