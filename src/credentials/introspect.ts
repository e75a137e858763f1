/** RFC 7662: is this token alive, asked by a resource server policy lets ask. Everything else is `active: false`. */
import { partyCauses } from '../domain/hangs-on.js';
import type { AuditEvent } from '../audit/event.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { AccessTokenClaims } from '../protocol/access-token.js';
import { auditingRefusals } from '../authorization/audit-refusal.js';
import { refuseDeadCaller } from '../authorization/caller.js';
import { decideOperation, denied } from '../authorization/decide.js';
import type { Deps } from '../authorization/deps.js';
import { provenFields } from '../authorization/audit-fields.js';
import { causesOf, isAlive, readPresented, recordOf, wasEnded } from '../authorization/presented-token.js';

type IntrospectDeps = Pick<Deps, 'ledger' | 'policy' | 'keys' | 'audit' | 'settings' | 'observer' | 'assertWithinRate'>;

interface IntrospectRequest {
  token: string;
  /** From where it was presented to the caller, as the caller tells. */
  presentedFrom?: string;
  requestId: string;
}

/** The claims of a live token, or undefined. */
export async function introspect(
  deps: IntrospectDeps,
  caller: AuthenticatedCaller,
  { token, presentedFrom, requestId }: IntrospectRequest,
): Promise<AccessTokenClaims | undefined> {
  const { ledger } = deps;
  const claims = await readPresented(deps, token);
  const found = claims && (await recordOf(deps, claims));
  const causes = claims && found ? causesOf(claims, found) : [];
  const seen = await ledger.log.look([...new Set([...causes, ...partyCauses(caller.party)])]);
  const permitted = await mayAsk(deps, caller, claims, requestId, () => {
    refuseDeadCaller(deps, caller, seen);
  });
  const now = ledger.clock.now();
  if (claims && found && permitted) {
    // Told by a caller that policy lets ask: anybody else could raise an alarm about whose token was found somewhere.
    if (presentedFrom !== undefined) deps.observer.presented(claims.jti, presentedFrom);
    if (isAlive(claims, found, seen, now)) return claims;
    if (wasEnded(found, seen, now)) deps.observer.deadUse(claims.jti);
  }

  const about = claims && {
    credential: claims.jti,
    task: claims.task.id,
    workload: claims.client_id,
    target: claims.aud,
  };
  await audited(deps, caller, {
    type: 'introspection.inactive',
    at: now,
    ...provenFields(caller),
    ...about,
    requestId,
  });
  return undefined;
}

/**
 * An API must get its answer however often it asks, or whoever floods it with dead tokens shuts it; but its questions must
 * not fill the audit log either. Beyond the caller's rate the answers are counted, not written down.
 */
async function audited(deps: IntrospectDeps, caller: AuthenticatedCaller, event: AuditEvent): Promise<void> {
  try {
    await deps.assertWithinRate(caller.party.id);
    await deps.audit.append(event);
  } catch {
    // The answer is no either way.
  }
}

/** A caller that policy refuses hears the same as one with a dead token; the audit log hears the difference. */
async function mayAsk(
  deps: IntrospectDeps,
  caller: AuthenticatedCaller,
  claims: AccessTokenClaims | undefined,
  requestId: string,
  assertLive: () => void,
): Promise<boolean> {
  const target = claims && { target: claims.aud };
  const about = { type: 'operation.refused', verb: 'introspect', ...target, requestId } as const;
  const answer = auditingRefusals(deps, caller, about, async () => {
    assertLive();
    if (!claims) return false;
    const decision = await decideOperation(deps.policy, caller.party, 'introspect', {
      type: 'target',
      target: claims.aud,
    });
    if (decision.outcome !== 'permit') throw denied(decision);
    return true;
  });
  return answer.catch(() => false);
}
