/**
 * A token of this broker, as somebody presents it: its signature is verified, and then the records say what it says. Whoever has
 * stolen a signing key can write anything into a token, but not into the ledger.
 */
import { isDeepStrictEqual } from 'node:util';
import type { JWTPayload } from 'jose';
import type { AuditEvent } from '../audit/event.js';
import type { Presentation } from '../detectors/observer.js';
import type { CredentialCharge } from '../domain/charge.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { credentialCauses } from '../domain/hangs-on.js';
import { isId } from '../domain/id.js';
import { refOf, type Party } from '../domain/party.js';
import { cause, type Cause } from '../domain/selector.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { findCredential, readCredentials, type Found } from '../ledger/credentials.js';
import type { Seen } from '../ledger/revocation-log.js';
import { readTasks } from '../ledger/tasks.js';
import { ACCESS_TOKEN_TYP, accessTokenClaimsSchema, type AccessTokenClaims } from '../protocol/access-token.js';
import { claimsOf } from '../targets/access-token-claims.js';
import type { Deps } from './deps.js';

/** A token whose signature and expiry were valid when it was presented. */
export type Inspected = Genuine | Unrecorded;

/** The records say what the token says. */
interface Genuine {
  found: Found;
  /** Made from the records. */
  claims: AccessTokenClaims;
  /** What a live token depends on, as the records have it now. */
  causes: Cause[];
}

/** A key of this broker signed the token, and the ledger has no record that says the same: nothing that it says counts. */
interface Unrecorded {
  found?: undefined;
  /** From the token alone. */
  claims: AccessTokenClaims;
  causes: [];
}

/** What is said of a token that is `Unrecorded`. */
export const SIGNED_BUT_UNRECORDED =
  'A key of this broker signed the token, but the ledger has no such credential, or another one under its id. The key may be stolen, or `issuer` was changed.';

/** Of a token that no record confirms, only the id in it and whom it is for are entered: it could name anybody as its holder. */
export const auditedToken = ({ found, claims }: Inspected): Partial<AuditEvent> =>
  found
    ? { credential: claims.jti, task: claims.task.id, workload: claims.client_id, target: claims.aud }
    : { ...(isId('crd', claims.jti) && { credential: claims.jti }), target: claims.aud, reason: SIGNED_BUT_UNRECORDED };

/** How the token was presented, and what its caller may then do: see `purpose` of identify(). */
export type Shown = Presentation & { purpose?: 'ending' };

export const shownBy = ({ party, trace }: AuthenticatedCaller, as: Presentation['as']): Presentation =>
  defined({ as, by: party.id, trace });

type InspectDeps = Pick<Deps, 'ledger' | 'keys' | 'settings' | 'observer'>;

/** Returns undefined for anything but a valid, unexpired access token of this broker. It does not look at the log. */
export async function inspect(deps: InspectDeps, token: string, shown: Shown): Promise<Inspected | undefined> {
  const verified = await verify(deps, token, shown);
  if (!verified) return undefined;
  const found = await recordsOf(deps, verified.claims);
  const claims = found && claimsOf(deps.settings.issuer, found.credential, found.task);
  if (!claims || !saysTheSame(verified, claims)) return { claims: verified.claims, causes: [] };
  return { found, claims, causes: claims.causes };
}

/**
 * Returns the credential with this id. Whoever names it has seen its token, or has not: the answer is for callers that policy lets
 * ask about its target. Undefined: there is none, or it was never handed out.
 */
export async function inspectById(
  { ledger, settings }: Pick<Deps, 'ledger' | 'settings'>,
  id: string,
): Promise<Genuine | undefined> {
  const found = await findCredential(ledger, id);
  if (found?.credential.state !== 'active') return undefined;
  const claims = claimsOf(settings.issuer, found.credential, found.task);
  return { found, claims, causes: claims.causes };
}

/** Returns the workload that holds the credential, as its own token said when the credential was issued. */
export const holderOf = ({ credential, task }: Found): Party =>
  defined({
    ...refOf(task.workload),
    subject: credential.subject,
    claims: credential.claims ?? {},
    unread: credential.unread,
    groups: [],
  });

/** The state of a token after one look at the log. `inactive`: it has expired, its log is lost, or the ledger has no such record. */
export type TokenState = 'live' | 'ended' | 'inactive';

/** @param seen A look at the causes of the token, begun after the token was presented. */
export function stateOf({ claims, found, causes }: Inspected, seen: Seen, now: number): TokenState {
  if (!found) return 'inactive';
  if (claims.exp * 1000 > now && seen.deathOf('credential', claims.epoch, causes) === undefined) return 'live';
  return wasEnded(found, seen, now) ? 'ended' : 'inactive';
}

/** Returns what detectors count a use of the credential for: anybody may have presented it. */
export const chargeOf = ({ credential, task }: Found): CredentialCharge => ({
  kind: 'credential',
  id: credential.id,
  of: task.workload,
});

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
export const verifiedClaims = async (
  deps: Pick<Deps, 'keys' | 'observer'>,
  token: string,
  shown: Shown,
): Promise<AccessTokenClaims | undefined> => (await verify(deps, token, shown))?.claims;

interface Verified {
  /** All that the token says, also where no schema looks. */
  payload: Readonly<JWTPayload>;
  claims: AccessTokenClaims;
}

async function verify(
  { keys, observer }: Pick<Deps, 'keys' | 'observer'>,
  token: string,
  { purpose, ...presentation }: Shown,
): Promise<Verified | undefined> {
  try {
    const payload = await keys.verify(token, defined({ typ: ACCESS_TOKEN_TYP, purpose }));
    const claims = readPayloads.get(payload) ?? readPayload(payload);
    return claims && { payload, claims };
  } catch (error) {
    if (!(error instanceof BrokerError && error.code === 'invalid_token')) throw error;
    observer.unverified(token, presentation);
    return undefined;
  }
}

/** A token that is shown again has the same payload, also as an object (keys/verified.ts): its claims are read once. */
const readPayloads = new WeakMap<object, AccessTokenClaims>();

function readPayload(payload: Readonly<JWTPayload>): AccessTokenClaims | undefined {
  const { data: claims } = accessTokenClaimsSchema.safeParse(payload);
  if (claims) readPayloads.set(payload, claims);
  return claims;
}

/** Both records are read at once, by the ids in the token. They count only if they belong together. */
async function recordsOf(
  { ledger }: Pick<Deps, 'ledger'>,
  { jti, task }: AccessTokenClaims,
): Promise<Found | undefined> {
  const [[credential], [stored]] = await Promise.all([readCredentials(ledger, [jti]), readTasks(ledger, [task.id])]);
  if (!credential || !stored || credential.task !== stored.value.id) return undefined;
  return { credential, task: stored.value };
}

/**
 * Returns whether the token says exactly what the records say. Only the team and the causes may have become others since it was
 * signed, and records forget neither (`changeParties` in domain/hangs-on.ts): so the token may name less than the records do, and
 * the answer is made from the records.
 */
function saysTheSame({ payload, claims: { origin, causes } }: Verified, recorded: AccessTokenClaims): boolean {
  const known = new Set(recorded.causes);
  const { owner } = origin;
  if (!causes.every((one) => known.has(one))) return false;
  if (owner !== undefined && !known.has(cause('owner', owner))) return false;
  return isDeepStrictEqual(payload, { ...recorded, causes, origin: defined({ ...recorded.origin, owner }) });
}
