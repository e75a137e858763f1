/** RFC 7662: is this token alive, asked by a resource server policy lets ask. Everything else is `active: false`. */
import type { AuditEvent } from '../audit/event.js';
import { partyCauses } from '../domain/task.js';
import type { Proven } from '../identity/caller.js';
import type { AccessTokenClaims } from '../protocol/access-token.js';
import { auditRefusal } from './audit-refusal.js';
import { refuseDeadCaller } from './caller.js';
import { decideOperation, denied } from './decide.js';
import type { Deps } from './deps.js';
import { provenFields } from './events.js';
import { causesOf, isAlive, readPresented, recordOf } from './presented-token.js';

type IntrospectDeps = Pick<Deps, 'ledger' | 'policy' | 'keys' | 'audit' | 'settings' | 'assertWithinRate'>;

/** The claims of a live token, or undefined. */
export async function introspect(
  deps: IntrospectDeps,
  caller: Proven,
  { token, requestId }: { token: string; requestId: string },
): Promise<AccessTokenClaims | undefined> {
  const { ledger } = deps;
  const claims = await readPresented(deps, token);
  const found = claims && (await recordOf(deps, claims));
  const causes = claims && found ? causesOf(claims, found) : [];
  const seen = await ledger.log.look([...new Set([...causes, ...partyCauses(caller.party)])]);
  const permitted = await mayAsk(deps, caller, claims, requestId, () => {
    refuseDeadCaller(caller, seen, deps.settings.lifetimes.clockSkew);
  });
  const now = ledger.clock.now();
  if (claims && found && permitted && isAlive(claims, found, seen, now)) return claims;

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
async function audited(deps: IntrospectDeps, caller: Proven, event: AuditEvent): Promise<void> {
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
  caller: Proven,
  claims: AccessTokenClaims | undefined,
  requestId: string,
  assertLive: () => void,
) {
  try {
    assertLive();
    if (!claims) return false;
    const decision = await decideOperation(deps.policy, caller.party, 'introspect', {
      type: 'target',
      target: claims.aud,
    });
    if (decision.outcome !== 'permit') throw denied(decision);
    return true;
  } catch (error) {
    const target = claims && { target: claims.aud };
    await auditRefusal(deps, error, caller, { type: 'operation.refused', verb: 'introspect', ...target, requestId });
    return false;
  }
}
