/** A deferral code was found where it should not be: its approval is cancelled, and nothing is granted by it. */
import { callerFields } from '../authorization/audit.js';
import type { Approval, ApprovalState } from '../domain/approval.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { readApprovalState } from '../ledger/approval-state.js';
import type { PermittedCancellation } from '../revocation/revoke-by-selector.js';
import { approvalFields } from './audit-fields.js';
import { cancelApproval, type CancelDeps } from './cancel.js';

interface Order {
  reason: string;
  ticket?: string;
  requestId: string;
}

/** Returns the approval and its state as they stand then; of a dry run, as they stand now. */
export async function cancelLeaked(
  { ledger, audit }: CancelDeps,
  { caller, subject: { approval: found, dryRun } }: PermittedCancellation,
  { reason, ticket, requestId }: Order,
): Promise<{ approval: Approval; state: ApprovalState }> {
  const order = defined({ caller, reason, ticket, requestId });
  const looked = (approval: Approval) => auditLook(audit, approval, { ...order, at: ledger.clock.unchecked() });
  if (dryRun) {
    const state = await readApprovalState(ledger, found);
    await looked(found);
    return { approval: found, state };
  }
  const cancelled = await cancelApproval({ ledger, audit }, found, order);
  if (!cancelled) throw new BrokerError('not_found', 'There is no approval with that id.');
  const { approval, state, isCancelled } = cancelled;
  if (!isCancelled) await looked(approval);
  return { approval, state };
}

/** Whoever has learnt of an approval by its code, and changed nothing about it, is in the log too. */
async function auditLook(
  audit: CancelDeps['audit'],
  approval: Approval,
  { caller, ...look }: Order & { caller: PermittedCancellation['caller']; at: number },
): Promise<void> {
  await audit.append({
    type: 'revocation.previewed',
    ...callerFields(caller),
    ...approvalFields(approval, {}),
    ...look,
  });
}
