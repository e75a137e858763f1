/** RFC 7662: is this token alive, asked by a resource server policy lets ask. Everything else is `active: false`. */
import { partyCauses } from '../domain/task.js';
import type { Proven } from '../identity/caller.js';
import type { AccessTokenClaims } from '../protocol/access-token.js';
import { auditRefusal } from './audit-refusal.js';
import { refuseDeadCaller } from './caller.js';
import { decideOperation, denied } from './decide.js';
import type { Deps } from './deps.js';
import { provenFields } from './events.js';
import { causesOf, isAlive, readPresented, recordOf } from './presented-token.js';

type IntrospectDeps = Pick<Deps, 'ledger' | 'policy' | 'keys' | 'audit' | 'settings'>;

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
  await deps.audit
    .append({ type: 'introspection.inactive', at: now, ...provenFields(caller), ...about, requestId })
    .catch(() => undefined);
  return undefined;
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
