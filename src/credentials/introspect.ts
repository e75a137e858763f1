/**
 * RFC 7662: whether a token is live, for a resource server that policy lets ask, and for the workload whose own it is. Every other
 * answer is `active: false`.
 */
import type { AuditEvent } from '../audit/event.js';
import { refusalOnTarget } from '../authorization/ask-on-target.js';
import { appendIfTaken, auditingRefusals, callerFields, nobody } from '../authorization/audit.js';
import { refuseDeadCaller } from '../authorization/caller.js';
import {
  auditedToken,
  chargeOf,
  inspect,
  shownBy,
  stateOf,
  type Inspected,
  type TokenState,
} from '../authorization/inspect.js';
import { permitPart } from '../authorization/permit-on-broker.js';
import type { CredentialCharge } from '../domain/charge.js';
import { defined } from '../domain/defined.js';
import { ifDenied } from '../domain/errors.js';
import { partyCauses } from '../domain/hangs-on.js';
import type { Epoch } from '../domain/liveness.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { Seen } from '../ledger/revocation-log.js';
import type { AccessTokenClaims } from '../protocol/access-token.js';
import type { Deps } from './deps.js';

type IntrospectDeps = Pick<Deps, 'ledger' | 'policy' | 'keys' | 'audit' | 'settings' | 'observer'>;

interface IntrospectRequest {
  token: string;
  /** The place from which the token was presented to the resource server, as the server names it. */
  presentedFrom?: string;
  /** Nobody has just presented it: who asks waits for its end, and that is no use of it. */
  isWatched?: true;
  requestId: string;
}

/** A live token by its claims; or one that is not, with the entry of the log that ended it, where the caller may know. */
type Introspected = { claims: AccessTokenClaims } | { claims?: undefined; endedBy?: Epoch };

/** Returns the claims of a live token, else undefined. The one look at the log begins after the question arrived. */
export const introspect = async (
  ...asked: Parameters<typeof introspectWithEnd>
): Promise<AccessTokenClaims | undefined> => (await introspectWithEnd(...asked)).claims;

/** The same, with what ended the token. */
export async function introspectWithEnd(
  deps: IntrospectDeps,
  caller: AuthenticatedCaller,
  { token, presentedFrom, isWatched, requestId }: IntrospectRequest,
): Promise<Introspected> {
  const { ledger, observer } = deps;
  const inspected = await inspect(deps, token, defined({ ...shownBy(caller, 'introspected'), presentedFrom }));
  const causes = inspected?.causes ?? [];
  const seen = await ledger.log.look([...causes, ...partyCauses(caller.party)]);
  const about = inspected && auditedToken(inspected);
  const isHolder = inspected?.found?.task.workload.id === caller.party.id;
  const asking = await admitAsker(deps, caller, seen, defined({ ...about, requestId, isHolder }));
  if (asking === 'not-permitted') return {};
  const now = ledger.clock.now();
  let endedBy: Epoch | undefined;
  if (inspected?.found) {
    const { claims, found } = inspected;
    const state = stateOf(inspected, seen, now);
    // Only what the target itself reports is a use of the token. Anybody else could raise an alarm about somebody else's token.
    if (asking === 'as-target' && !isWatched) observeUse(observer, chargeOf(found), state, presentedFrom);
    if (state === 'live') return { claims };
    endedBy = state === 'ended' ? endOf(inspected, seen) : undefined;
  }
  // An API gets its answer however often it asks, or a flood of dead tokens would shut it out: what others make it ask is not counted
  // against its own rate. The audit log rations the entries.
  const inactive = { ...about, type: 'introspection.inactive' as const, at: now, ...callerFields(caller), requestId };
  await appendIfTaken(deps.audit, defined(inactive));
  return defined({ endedBy });
}

/** Returns the entry of the log that ended a token which an entry has ended. */
function endOf({ claims, causes }: Inspected, seen: Seen): Epoch | undefined {
  const death = seen.firstDeathOf('credential', claims.epoch, causes);
  return death && { generation: seen.epoch.generation, seq: death.seq };
}

function observeUse(
  observer: Deps['observer'],
  credential: CredentialCharge,
  state: TokenState,
  presentedFrom: string | undefined,
): void {
  if (presentedFrom !== undefined) observer.presented(credential, presentedFrom);
  if (state === 'ended') observer.deadUse(credential);
}

/**
 * `as-target`: policy lets the caller introspect tokens of that target. `as-holder`: it is the caller's own, and it could read all
 * that the answer says in the token itself, except whether it is alive. `as-reader`: it may read every credential.
 */
type Asking = 'as-target' | 'as-holder' | 'as-reader' | 'not-permitted';

/** Audits a refusal. A caller that policy refuses gets the same answer as for a dead token: only the audit log shows the difference. */
function admitAsker(
  deps: IntrospectDeps,
  caller: AuthenticatedCaller,
  seen: Seen,
  { isHolder, ...about }: Partial<AuditEvent> & { isHolder: boolean },
): Promise<Asking> {
  // The API asks about what others show to it: a token that it may not ask about is no doing of its own.
  const refused = { ...about, type: 'operation.refused' as const, verb: 'introspect', charged: nobody };
  const asking = auditingRefusals(deps, caller, refused, async (): Promise<Asking> => {
    refuseDeadCaller(deps, caller, seen);
    // What is no token of this broker belongs to no target, and there is nothing to hide about it.
    if (about.target === undefined) return 'as-target';
    const refusal = await refusalOnTarget(deps, caller, 'introspect', about.target);
    if (!refusal) return 'as-target';
    if (isHolder) return 'as-holder';
    if (await permitPart(deps, caller, 'readCredential')) return 'as-reader';
    // Also where nobody knows it: an API that hears "inactive" has its callers throw their credentials away.
    throw refusal;
  });
  return asking.catch(ifDenied('not-permitted' as const));
}
