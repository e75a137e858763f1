/** A token of ours, as somebody presents it: verified, and matched with what the ledger knows. A forged one has no record. */
import { BrokerError } from '../domain/errors.js';
import type { Credential } from '../domain/credential.js';
import { credentialCauses } from '../domain/hangs-on.js';
import { detailsOf, scopeOf } from '../targets/requested-access.js';
import type { Cause } from '../domain/selector.js';
import { toSeconds } from '../domain/time.js';
import { ACCESS_TOKEN_TYP, accessTokenClaimsSchema, type AccessTokenClaims } from '../protocol/access-token.js';
import { readCredentials, type Found } from '../ledger/credentials.js';
import { readTasks } from '../ledger/tasks.js';
import type { Seen } from '../ledger/revocation-log.js';
import type { Deps } from './deps.js';

/** The claims, or undefined for whatever is not a valid, unexpired access token of this broker. */
export async function readPresented(
  { keys, observer }: Pick<Deps, 'keys' | 'observer'>,
  token: string,
): Promise<AccessTokenClaims | undefined> {
  try {
    const parsed = accessTokenClaimsSchema.safeParse(await keys.verify(token, { typ: ACCESS_TOKEN_TYP }));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (!(error instanceof BrokerError && error.code === 'invalid_token')) throw error;
    observer.unverified(token);
    return undefined;
  }
}

/**
 * What the ledger knows of the token, if that is what the token says. Whoever has stolen a signing key can write anything
 * into a token, but not into the ledger: neither more access, nor more time, nor fewer causes.
 */
export async function recordOf(
  { ledger }: Pick<Deps, 'ledger'>,
  claims: AccessTokenClaims,
): Promise<Found | undefined> {
  const [[credential], [stored]] = await Promise.all([
    readCredentials(ledger, [claims.jti]),
    readTasks(ledger, [claims.task.id]),
  ]);
  if (!credential || !stored || credential.task !== stored.value.id) return undefined;
  return saysTheSame(claims, credential) ? { credential, task: stored.value } : undefined;
}

/** What a live answer hangs on: what the token carries, and what the ledger has learned since. */
export const causesOf = (claims: AccessTokenClaims, { credential, task }: Found): Cause[] => [
  ...new Set([...claims.causes, ...credentialCauses(credential, task)]),
];

/** @param seen A look at `causesOf`, sent after the question arrived. */
export const isAlive = (claims: AccessTokenClaims, found: Found, seen: Seen, now: number): boolean =>
  claims.exp * 1000 > now && seen.deathOf('credential', claims.epoch, causesOf(claims, found)) === undefined;

/** Whether an entry of its own log ended it. One that has merely expired was nobody's doing, nor is a log that was lost. */
export function wasEnded({ credential, task }: Found, seen: Seen, now: number): boolean {
  if (credential.expiresAt <= now) return false;
  const ended = seen.firstDeathOf('credential', credential.epoch, credentialCauses(credential, task));
  return ended !== undefined && ended.seq > 0;
}

function saysTheSame(claims: AccessTokenClaims, { target, expiresAt, epoch, access }: Credential): boolean {
  const details = JSON.stringify(claims.authorization_details);
  return (
    claims.aud === target &&
    claims.exp === toSeconds(expiresAt) &&
    claims.epoch === epoch &&
    (claims.scope ?? '') === scopeOf(access) &&
    details === JSON.stringify(detailsOf(target, access))
  );
}
