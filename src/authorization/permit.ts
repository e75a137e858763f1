/** Operator verbs on the broker itself: a live caller, one question to policy, and an audit entry when the answer is no. */
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { OperateContext, OperatorVerb } from '../policy/query.js';
import { auditRefusal } from './audit-refusal.js';
import { assertLiveCaller } from './caller.js';
import { decideOperation, denied } from './decide.js';
import type { Deps } from './deps.js';

export type PermitDeps = Pick<Deps, 'ledger' | 'policy' | 'audit' | 'settings' | 'observer'>;

export async function permitOnBroker(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: OperatorVerb,
  { requestId, revocation }: { requestId: string; revocation?: NonNullable<OperateContext['revocation']> },
): Promise<void> {
  try {
    await assertLiveCaller(deps, caller);
    const decision = await decideOperation(
      deps.policy,
      caller.party,
      verb,
      { type: 'broker' },
      revocation && { revocation },
    );
    if (decision.outcome !== 'permit') throw denied(decision);
  } catch (error) {
    await auditRefusal(deps, error, caller, { type: 'operation.refused', verb, requestId });
    throw error;
  }
}
