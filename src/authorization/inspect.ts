/**
 * A token of this broker, as somebody presents it: its signature is verified, and its claims are compared with the ledger. A
 * token that was forged with a stolen signing key has no record to match.
 */
import type { Credential } from '../domain/credential.js';
import { BrokerError } from '../domain/errors.js';
import { credentialCauses } from '../domain/hangs-on.js';
import type { Cause } from '../domain/selector.js';
import { toSeconds } from '../domain/time.js';
import { readCredentials, type Found } from '../ledger/credentials.js';
import type { Seen } from '../ledger/revocation-log.js';
import { readTasks } from '../ledger/tasks.js';
import { ACCESS_TOKEN_TYP, accessTokenClaimsSchema, type AccessTokenClaims } from '../protocol/access-token.js';
import { detailsOf, scopeOf } from '../targets/requested-access.js';
import type { Deps } from './deps.js';

/** A token whose signature and expiry were valid when it was presented. */
interface Inspected {
  claims: AccessTokenClaims;
  /** The records, if they say what the token says. */
  found?: Found;
  /** What a live token depends on: the causes in the token, and those that the ledger has learned since. Empty without records. */
  causes: Cause[];
}

/** Returns undefined for anything but a valid, unexpired access token of this broker. It does not look at the log. */
export async function inspect(
  deps: Pick<Deps, 'ledger' | 'keys' | 'observer'>,
  token: string,
): Promise<Inspected | undefined> {
  const claims = await verifiedClaims(deps, token);
  if (!claims) return undefined;
  const found = await recordsOf(deps, claims);
  if (!found) return { claims, causes: [] };
  return { claims, found, causes: [...new Set([...claims.causes, ...credentialCauses(found.credential, found.task)])] };
}

/** The state of a token after one look at the log. `inactive`: it has expired, its log is lost, or the ledger has no such record. */
type TokenState = 'live' | 'ended' | 'inactive';

/** @param seen A look at the causes of the token, begun after the token was presented. */
export function stateOf({ claims, found, causes }: Inspected, seen: Seen, now: number): TokenState {
  if (!found) return 'inactive';
  if (claims.exp * 1000 > now && seen.deathOf('credential', claims.epoch, causes) === undefined) return 'live';
  return wasEnded(found, seen, now) ? 'ended' : 'inactive';
}

/**
 * Returns whether an entry of the log ended an unexpired credential. Expiry, and the loss of the log that the credential
 * was born in, do not count: nobody's decision is behind them.
 */
export function wasEnded({ credential, task }: Found, seen: Seen, now: number): boolean {
  if (credential.expiresAt <= now) return false;
  const ended = seen.firstDeathOf('credential', credential.epoch, credentialCauses(credential, task));
  return ended !== undefined && ended.seq > 0;
}

/**
 * Returns the claims of a valid, unexpired access token of this broker, else undefined. Reads no records: a found token can be
 * revoked by its claims even if its record cannot be read.
 */
export async function verifiedClaims(
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
 * Whoever has stolen a signing key can write anything into a token, but not into the ledger. So the record must allow the same
 * access for the same time, and the causes of the record count as well as those in the token.
 */
async function recordsOf({ ledger }: Pick<Deps, 'ledger'>, claims: AccessTokenClaims): Promise<Found | undefined> {
  const [[credential], [stored]] = await Promise.all([
    readCredentials(ledger, [claims.jti]),
    readTasks(ledger, [claims.task.id]),
  ]);
  if (!credential || !stored || credential.task !== stored.value.id) return undefined;
  return saysTheSame(claims, credential) ? { credential, task: stored.value } : undefined;
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
