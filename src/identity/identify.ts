/** Verifies a token as proof of identity: returns the caller, or refuses with one sentence that says why. */
import { LRUCache } from 'lru-cache';
import { defined } from '../domain/defined.js';
import { sha256 } from '../domain/digest.js';
import { BrokerError, type BrokerErrorCode } from '../domain/errors.js';
import { HARD_LIMITS } from '../domain/limits.js';
import type { RequestTrace } from '../domain/request-trace.js';
import { JWT_ASSERTION, JWT_TYPE } from '../protocol/oauth.js';
import { assertionFacts, isAssertion, singleUse } from './assertion.js';
import { createClients } from './clients.js';
import type { AuthenticatedCaller, Proof, TokenUse, TrustedIssuer } from './proof.js';
import { createRoute, soleAudience, type IdentifySetup } from './route.js';
import { isDeclaredAs, readTimes, readToken, Refused, timesProblem, type TokenTimes } from './token.js';

/**
 * Throws a BrokerError: `temporarily_unavailable` when the issuer's keys cannot be read, `server_error` when what the issuer says
 * of itself does not fit the configuration, otherwise the code that fits the use.
 */
export type Identify = (
  token: string,
  as: {
    use: TokenUse;
    tokenType?: string;
    /** What the caller may then do. Only for what ends or holds is a proof judged by a clock that may be wrong. */
    purpose?: 'ending';
    trace?: RequestTrace;
  },
) => Promise<AuthenticatedCaller>;

const PROOFS_MAX = 10_000;

export function createIdentify(setup: IdentifySetup): Identify {
  const route = createRoute(setup);
  const withClients = createClients(setup);
  // Verifying costs a hundred times as much as this lookup. Only verified tokens are cached, so an attacker cannot evict them
  // with invented ones; the key is a SHA-256, so no two tokens share an entry.
  const proofs = new LRUCache<string, Proof>({ max: PROOFS_MAX });
  const { clock, clockSkewSeconds } = setup;
  const skewMs = clockSkewSeconds * 1000;

  /**
   * Judged by a time that is known to be right. Only for what ends or holds, and only while none is, it is enough that the proof
   * is valid by one of those that may be right: otherwise nobody could revoke at a broker whose clock is ahead. One whose clock
   * is behind takes every fresh proof for one from the future, so the issuer's clock is among those that may be right.
   */
  const assertTimely = (times: TokenTimes, { proofAgeSeconds }: TrustedIssuer, purpose: 'ending' | undefined): void => {
    const isUnsure = purpose === 'ending' && !clock.isTrusted();
    const byIssuer = Math.max(clock.unchecked(), times.issuedAt, times.notBefore ?? 0);
    const candidates = isUnsure ? [...clock.uncheckedTimes(), byIssuer] : [clock.now()];
    const problems = candidates.map((now) => timesProblem(times, now, { skewMs, proofAgeSeconds }));
    const [problem] = problems;
    if (problem !== undefined && !problems.includes(undefined)) throw new Refused(problem);
  };

  const prove = async (token: string, { key, use, purpose }: Proving): Promise<Proof> => {
    const cached = proofs.get(key);
    if (cached && (await cached.issuer.keys.current()) === cached.keys) {
      assertTimely(cached.times, cached.issuer, purpose);
      return cached;
    }
    const unverified = readToken(token);
    const issuer = route(unverified, use);
    const times = readTimes(unverified.claims);
    assertTimely(times, issuer, purpose);
    const assertion = assertionFacts(unverified.claims);
    const audience = soleAudience(unverified.claims['aud']);
    const verified = withClients(await issuer.verify(unverified), issuer, unverified);
    const proof = { ...verified, issuer, times, audience, assertion };
    // Every use of the token returns this same object.
    Object.freeze(proof.party);
    proofs.set(key, proof);
    return proof;
  };

  return async (token, { use, tokenType, purpose, trace }) => {
    try {
      // This limit bounds the cost of everything below, hashing included.
      if (token.length > HARD_LIMITS.subjectTokenBytes) throw new Refused('is larger than 16 KiB');
      const proofHash = sha256(token);
      // An assertion may be addressed to the token endpoint, and a token that is must prove nothing elsewhere.
      const key = isAssertion(use) ? `${proofHash} as assertion` : proofHash;
      const proof = await prove(token, defined({ key, use, purpose }));
      if (!isDeclaredAs(tokenType, proof)) throw new Refused(`is not of the declared token type; ${fitting(use)} fits`);
      const caller = defined({ ...answer(proof, proofHash), trace });
      if (use === 'assertion')
        return defined({ ...caller, once: singleUse(proof, clock.now(), skewMs), idJag: proof.idJag });
      if (proof.idJag) throw new Refused('is an ID-JAG, which is taken as assertion alone');
      return caller;
    } catch (error) {
      throw error instanceof Refused ? refusal(use, error) : error;
    }
  };
}

/** Returns the type as which any token may be declared there. */
const fitting = (use: TokenUse): string => (use === 'client' ? JWT_ASSERTION : JWT_TYPE);

interface Proving {
  /** Under which a proof is remembered. */
  key: string;
  use: TokenUse;
  purpose?: 'ending';
}

const answer = (proof: Proof, proofHash: string): AuthenticatedCaller => {
  const { party, times, audience, mayAct, isForActor, issuedTo } = proof;
  const { expiresAt, issuedAt } = times;
  return defined({ party, proofHash, audience, expiresAt, issuedAt, mayAct, isForActor, issuedTo });
};

/** Error codes by RFC 8693 §2.2.2, RFC 6749 §5.2 and RFC 6750 §3.1. */
const REFUSALS = {
  subject: ['invalid_request', 'subject token'],
  actor: ['invalid_request', 'actor token'],
  client: ['invalid_client', 'client assertion'],
  bearer: ['invalid_token', 'bearer token'],
  assertion: ['invalid_grant', 'assertion'],
} as const satisfies Record<TokenUse, readonly [BrokerErrorCode, string]>;

function refusal(use: TokenUse, reason: Refused): BrokerError {
  const [code, noun] = REFUSALS[use];
  return new BrokerError(code, `The ${noun} ${reason.message}.`, defined({ cause: reason, advice: reason.advice }));
}
