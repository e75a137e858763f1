/** Cancels an approval: whoever asked does not need it any more (RFC 7009), its code has leaked, or another has taken its place. */
import { appendIfTaken, callerFields } from '../authorization/audit.js';
import type { Deps } from '../authorization/deps.js';
import { approvalStateAt, isUnsettled, type Approval, type ApprovalState } from '../domain/approval.js';
import { defined } from '../domain/defined.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { changeApproval } from '../ledger/approvals.js';
import { approvalFields } from './audit-fields.js';

export type CancelDeps = Pick<Deps, 'ledger' | 'audit'>;

interface Cancelling {
  caller: AuthenticatedCaller;
  requestId: string;
  /** Why, where it is not the workload itself that cancels it. */
  reason?: string;
  ticket?: string;
}

/**
 * Cancels what waits, or was agreed to: nothing more is issued by it then, also where the yes stands for the rest of the task. One
 * commit decides which was first. A no stays a no: whoever could cancel it could ask the same again. It is an end, so a clock that
 * is wrong does not hinder it: what may not have lapsed is cancelled. Returns the approval as it stands then, and whether this
 * cancelled it; undefined: its record is gone.
 */
export async function cancelApproval(
  deps: CancelDeps,
  { id }: Approval,
  by: Cancelling,
): Promise<{ approval: Approval; state: ApprovalState; isCancelled: boolean } | undefined> {
  const { ledger } = deps;
  const stateOf = (one: Approval) => approvalStateAt(one, ledger.clock.uncheckedEarliest());
  const found = { isOpen: false };
  const after = await changeApproval(ledger, id, (one) => {
    found.isOpen = isUnsettled(stateOf(one));
    return found.isOpen ? { ...one, cancelledAt: ledger.clock.unchecked() } : undefined;
  });
  // It may have been used between the two reads: then nothing was cancelled, and the log must not say so.
  if (after && found.isOpen) await auditCancelled(deps, after, by);
  return after ? { approval: after, state: stateOf(after), isCancelled: found.isOpen } : undefined;
}

/** The approval is cancelled, whether or not the audit log takes the entry: it is an end, and grants nothing. */
export async function auditCancelled(
  { audit, ledger }: CancelDeps,
  approval: Approval,
  { caller, requestId, reason, ticket }: Cancelling,
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
