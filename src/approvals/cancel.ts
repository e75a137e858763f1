/** Takes a question back: whoever asked does not need it any more (RFC 7009), its code has leaked, or another has taken its place. */
import { appendIfTaken, callerFields } from '../authorization/audit.js';
import type { Deps } from '../authorization/deps.js';
import { approvalStateAt, isUnsettled, type Approval } from '../domain/approval.js';
import { defined } from '../domain/defined.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { changeApproval } from '../ledger/approvals.js';
import { approvalFields } from './audit-fields.js';

type CancelDeps = Pick<Deps, 'ledger' | 'audit'>;

interface Asking {
  caller: AuthenticatedCaller;
  requestId: string;
  /** Why, where it is not the workload itself that takes it back. */
  reason?: string;
  ticket?: string;
}

/**
 * Takes back what waits, or was agreed to: nothing more is issued by it then, also where the yes stands for the rest of the task. One
 * commit decides which was first. A no stays a no: whoever could take it back could ask the same again. Returns the approval as it
 * stands then, and whether this took it back; undefined: its record is gone.
 */
export async function takeBack(
  deps: CancelDeps,
  { id }: Approval,
  asking: Asking,
): Promise<{ approval: Approval; isTaken: boolean } | undefined> {
  const { ledger } = deps;
  const at = ledger.clock.unchecked();
  const found = { isOpen: false };
  const after = await changeApproval(ledger, id, (one) => {
    found.isOpen = isUnsettled(approvalStateAt(one, at));
    return found.isOpen ? { ...one, cancelledAt: at } : undefined;
  });
  // It may have been used between the two reads: then nothing was taken back, and the log must not say so.
  if (after && found.isOpen) await auditCancelled(deps, after, asking);
  return after ? { approval: after, isTaken: found.isOpen } : undefined;
}

/** The question is taken back, whether or not the audit log takes the entry: it is an end, and grants nothing. */
export async function auditCancelled(
  { audit, ledger }: CancelDeps,
  approval: Approval,
  { caller, requestId, reason, ticket }: Asking,
): Promise<void> {
  const event = defined({
    type: 'approval.cancelled' as const,
    at: ledger.clock.unchecked(),
    ...callerFields(caller),
    ...approvalFields(approval, {}),
    reason,
    ticket,
    requestId,
  });
  await appendIfTaken(audit, event);
}
