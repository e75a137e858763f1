/** When a token holds. Read once; judged again each time a remembered token is used. Milliseconds. */
import { defined } from '../domain/defined.js';
import { HARD_LIMITS } from '../domain/limits.js';
import { Refused } from './refused.js';
import type { JsonObject } from './json-object.js';

export interface TokenTimes {
  expiresAt: number;
  notBefore?: number;
  issuedAt: number;
}

/** Year 9999. Above it stand only mistakes (milliseconds for seconds) and numbers that overflow on the way. */
const LATEST_SECONDS = 253_402_300_799;

/** No longer than cutoffs are remembered (`forgettableAt` in domain/liveness). */
const PROOF_AGE_MAX_MS = HARD_LIMITS.taskLifetimeSeconds * 1000;

export function readTimes(claims: JsonObject): TokenTimes {
  const expiresAt = moment(claims, 'exp');
  if (expiresAt === undefined) throw new Refused('must say when it expires (exp)');
  const notBefore = moment(claims, 'nbf');
  const issuedAt = moment(claims, 'iat');
  if (issuedAt === undefined) throw new Refused('must say when it was issued (iat)');
  return defined({ expiresAt, issuedAt, notBefore });
}

export function checkTimes({ expiresAt, notBefore, issuedAt }: TokenTimes, now: number, skewMs: number): void {
  if (now >= expiresAt + skewMs) throw new Refused('has expired');
  if (notBefore !== undefined && notBefore > now + skewMs) throw new Refused('is not valid yet');
  // A cutoff refuses what was issued before it: a token from the future would be immune, and so would one that is older
  // than a cutoff is remembered.
  if (issuedAt > now + skewMs) throw new Refused('was issued in the future');
  if (issuedAt < now - PROOF_AGE_MAX_MS) throw new Refused('is too old; present one issued within eight hours');
}

function moment(claims: JsonObject, claim: 'exp' | 'nbf' | 'iat'): number | undefined {
  const seconds = claims[claim];
  if (seconds === undefined) return undefined;
  // JSON can write Infinity (1e999), and `now >= NaN` is false: only a plain number of seconds is compared at all.
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= LATEST_SECONDS)) {
    throw new Refused(`must give ${claim} as a number of seconds since 1970`);
  }
  return Math.floor(seconds * 1000);
}
