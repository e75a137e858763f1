/** The front door: a token in, a proven party out, or one sentence why not. */
import { LRUCache } from 'lru-cache';
import { sha256 } from '../domain/digest.js';
import { BrokerError, type BrokerErrorCode } from '../domain/errors.js';
import { HARD_LIMITS } from '../domain/limits.js';
import type { AuthenticatedCaller, Proof, TokenUse } from './proof.js';
import { checkTimes, isDeclaredAs, readTimes, readToken, Refused } from './token.js';
import { createRoute, type IdentifySetup } from './route.js';

/** Throws a BrokerError: `temporarily_unavailable` when the issuer's keys cannot be had, else the code that fits the use. */
export type Identify = (token: string, as: { use: TokenUse; tokenType?: string }) => Promise<AuthenticatedCaller>;

const REMEMBERED_MAX = 10_000;

export function createIdentify(setup: IdentifySetup): Identify {
  const route = createRoute(setup);
  // Verifying costs a hundred times as much as this lookup. Only what was proven is kept, by a hash that nobody can aim.
  const remembered = new LRUCache<string, Proof>({ max: REMEMBERED_MAX });
  const skewMs = setup.clockSkewSeconds * 1000;

  const prove = async (token: string, proofHash: string): Promise<Proof> => {
    const known = remembered.get(proofHash);
    if (known && (await known.issuer.keys.current()) === known.keys) {
      checkTimes(known.times, setup.clock.now(), skewMs);
      return known;
    }
    const unverified = readToken(token);
    const issuer = route(unverified);
    const times = readTimes(unverified.claims);
    checkTimes(times, setup.clock.now(), skewMs);
    const proof = { ...(await issuer.verify(unverified)), issuer, times };
    // The same object is answered for every use of the token.
    Object.freeze(proof.party);
    remembered.set(proofHash, proof);
    return proof;
  };

  return async (token, { use, tokenType }) => {
    try {
      // Bounds everything that follows, hashing included.
      if (token.length > HARD_LIMITS.subjectTokenBytes) throw new Refused('is larger than 16 KiB');
      const proofHash = sha256(token);
      const proof = await prove(token, proofHash);
      if (!isDeclaredAs(tokenType, proof)) throw new Refused('is not of the declared token type');
      return answer(proof, proofHash);
    } catch (error) {
      throw error instanceof Refused ? refusal(use, error) : error;
    }
  };
}

const answer = ({ party, times }: Proof, proofHash: string): AuthenticatedCaller => ({
  party,
  proofHash,
  expiresAt: times.expiresAt,
  issuedAt: times.issuedAt,
});

/** RFC 8693 §2.2.2, RFC 6749 §5.2, RFC 6750 §3.1. */
const REFUSALS = {
  subject: ['invalid_request', 'subject token'],
  actor: ['invalid_request', 'actor token'],
  client: ['invalid_client', 'client assertion'],
  bearer: ['invalid_token', 'bearer token'],
} as const satisfies Record<TokenUse, readonly [BrokerErrorCode, string]>;

function refusal(use: TokenUse, reason: Refused): BrokerError {
  const [code, noun] = REFUSALS[use];
  return new BrokerError(code, `The ${noun} ${reason.message}.`, { cause: reason });
}
