/** RFC 7662: whether a token is live, for a resource server that policy lets ask. Every other answer is `active: false`. */
import { auditingRefusals, callerFields } from '../authorization/audit.js';
import { refuseDeadCaller } from '../authorization/caller.js';
import { decideOperation, denied } from '../authorization/decide.js';
import { inspect, stateOf } from '../authorization/inspect.js';
import { defined } from '../domain/defined.js';
import { partyCauses } from '../domain/hangs-on.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { Seen } from '../ledger/revocation-log.js';
import type { AccessTokenClaims } from '../protocol/access-token.js';
import type { Deps } from './deps.js';

type IntrospectDeps = Pick<Deps, 'ledger' | 'policy' | 'keys' | 'audit' | 'settings' | 'observer' | 'assertWithinRate'>;

interface IntrospectRequest {
  token: string;
  /** The place from which the token was presented to the resource server, as the server names it. */
  presentedFrom?: string;
  requestId: string;
}

/** Returns the claims of a live token, else undefined. The one look at the log begins after the question arrived. */
export async function introspect(
  deps: IntrospectDeps,
  caller: AuthenticatedCaller,
  { token, presentedFrom, requestId }: IntrospectRequest,
): Promise<AccessTokenClaims | undefined> {
  const { ledger, observer } = deps;
  const inspected = await inspect(deps, token);
  const causes = inspected?.causes ?? [];
  const seen = await ledger.log.look([...new Set([...causes, ...partyCauses(caller.party)])]);
  const permitted = await mayIntrospect(deps, caller, seen, defined({ target: inspected?.claims.aud, requestId }));
  const now = ledger.clock.now();
  if (inspected?.found && permitted) {
    const { claims } = inspected;
    // It counts only from a caller that policy lets ask: anybody else could raise an alarm about somebody else's token.
    if (presentedFrom !== undefined) observer.presented(claims.jti, presentedFrom);
    const state = stateOf(inspected, seen, now);
    if (state === 'live') return claims;
    if (state === 'ended') observer.deadUse(claims.jti);
  }
  await auditInactive(deps, caller, { claims: inspected?.claims, at: now, requestId });
  return undefined;
}

/** A caller that policy refuses gets the same answer as for a dead token. Only the audit log shows the difference. */
function mayIntrospect(
  deps: IntrospectDeps,
  caller: AuthenticatedCaller,
  seen: Seen,
  { target, requestId }: { target?: string; requestId: string },
): Promise<boolean> {
  const about = defined({ type: 'operation.refused' as const, verb: 'introspect', target, requestId });
  const asking = auditingRefusals(deps, caller, about, async () => {
    refuseDeadCaller(deps, caller, seen);
    if (target === undefined) return false;
    const decision = await decideOperation(deps.policy, caller.party, 'introspect', { type: 'target', target });
    if (decision.outcome !== 'permit') throw denied(decision);
    return true;
  });
  return asking.catch(() => false);
}

/**
 * An API gets its answer however often it asks; otherwise a flood of dead tokens would shut the API out. But its questions must
 * not fill the audit log: above the caller's rate, answers are counted and not audited.
 */
async function auditInactive(
  { assertWithinRate, audit }: IntrospectDeps,
  caller: AuthenticatedCaller,
  { claims, at, requestId }: { claims: AccessTokenClaims | undefined; at: number; requestId: string },
): Promise<void> {
  const about = claims && {
    credential: claims.jti,
    task: claims.task.id,
    workload: claims.client_id,
    target: claims.aud,
  };
  try {
    await assertWithinRate(caller.party.id);
    await audit.append({ type: 'introspection.inactive', at, ...callerFields(caller), ...about, requestId });
  } catch {
    // The answer is `active: false` in any case.
  }
}
