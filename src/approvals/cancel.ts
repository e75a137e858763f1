/** Takes a question back: whoever asked does not need it any more (RFC 7009), or another question has taken its place. */
import { callerFields } from '../authorization/audit.js';
import type { Deps } from '../authorization/deps.js';
import type { Approval } from '../domain/approval.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { changeApproval } from '../ledger/approvals.js';
import { approvalByCode } from './deferral-code.js';

type CancelDeps = Pick<Deps, 'ledger' | 'audit'>;

interface Asking {
  caller: AuthenticatedCaller;
  requestId: string;
}

/**
 * Takes back what this workload got the code for. A code of another, and a guess, are left alone. What was agreed to and not fetched is
 * never issued then: one commit decides which was first.
 */
export async function cancelByCode(deps: CancelDeps, code: string, asking: Asking): Promise<void> {
  const { ledger } = deps;
  const approval = await approvalByCode(ledger, asking.caller.party, code);
  if (!approval) return;
  const at = ledger.clock.unchecked();
  const found = { isOpen: false };
  await changeApproval(ledger, approval.id, (one) => {
    found.isOpen = (one.cancelledAt ?? one.used) === undefined;
    return found.isOpen ? { ...one, cancelledAt: at } : undefined;
  });
  // It may have been used between the two reads: then nothing was taken back, and the log must not say so.
  if (found.isOpen) await auditCancelled(deps, approval, asking);
}

/** The question is taken back, whether or not the audit log takes the entry: it is an end, and grants nothing. */
export async function auditCancelled(
  { audit, ledger }: CancelDeps,
  { id, task, workload, principal, purpose, asked }: Approval,
  { caller, requestId }: Asking,
): Promise<void> {
  const event = {
    type: 'approval.cancelled' as const,
    at: ledger.clock.unchecked(),
    ...callerFields(caller),
    task,
    workload: workload.id,
    ...(principal && { principal: principal.id }),
    purpose,
    target: asked.target,
    approval: { id },
    requestId,
  };
  await audit.append(event).catch(() => undefined);
}
