/** Whoever must answer learns of an approval from the audit log, and from what follows it: webhooks, and programs that read it. */
import type { AuditEvent } from '../audit/event.js';
import { callerFields } from '../authorization/audit.js';
import { recordOf } from '../authorization/decide.js';
import type { Deps } from '../authorization/deps.js';
import type { Approval } from '../domain/approval.js';
import { defined } from '../domain/defined.js';
import { chainOf, type Task } from '../domain/task.js';
import { MINUTE_MS } from '../domain/time.js';
import { readApprovalState } from '../ledger/approval-state.js';
import { changeApproval, readApproval } from '../ledger/approvals.js';
import { eachSettled } from '../ledger/each-settled.js';
import { readTask } from '../ledger/tasks.js';
import { claimAnnouncing, noteAnnounced, unannouncedBefore } from '../ledger/unannounced.js';
import { approvalFields } from './audit-fields.js';
import type { ApprovalRequest } from './approval-request.js';

type AnnounceDeps = Pick<Deps, 'ledger' | 'audit'>;

/** An approval that nobody hears of is cancelled: the next request asks anew. */
export async function announce(
  { audit, ledger }: AnnounceDeps,
  { requester: { caller }, needed, requestId }: Pick<ApprovalRequest, 'requester' | 'needed' | 'requestId'>,
  { approval, task }: { approval: Approval; task: Task },
): Promise<void> {
  const by = { ...callerFields(caller), decision: recordOf(needed), requestId };
  try {
    await audit.append(requestedEvent(approval, task, by));
  } catch (error) {
    const cancelled = (one: Approval) => ({ ...one, cancelledAt: ledger.clock.now() });
    await changeApproval(ledger, approval.id, cancelled).catch(() => undefined);
    throw error;
  }
  // If this fails, it is announced twice.
  await noteAnnounced(ledger, approval.id).catch(() => false);
}

/** So long whoever has asked may be about to announce it. */
const ABOUT_TO_BE_ANNOUNCED_MS = MINUTE_MS;

/**
 * Announces each approval whose broker died before it could, if people can still answer it: of several brokers one does. The decision of
 * policy and the address of the caller died with that broker. One that fails keeps no other from being announced.
 */
export async function announceLate({ audit, ledger }: AnnounceDeps): Promise<void> {
  const ids = await unannouncedBefore(ledger, ledger.clock.now() - ABOUT_TO_BE_ANNOUNCED_MS);
  await eachSettled(ids, async (id) => {
    const approval = (await readApproval(ledger, id))?.value;
    if (approval && (await readApprovalState(ledger, approval)) === 'pending') {
      if (!(await claimAnnouncing(ledger, id))) return;
      await appendRequested({ audit, ledger }, approval);
    }
    await noteAnnounced(ledger, id);
  });
}

async function appendRequested({ audit, ledger }: AnnounceDeps, approval: Approval): Promise<void> {
  const task = (await readTask(ledger, approval.task))?.value;
  const { kind, id, issuer, subject } = approval.workload;
  if (task) await audit.append(requestedEvent(approval, task, { actor: defined({ kind, id, issuer, subject }) }));
}

const requestedEvent = (approval: Approval, task: Task, by: Partial<AuditEvent>): AuditEvent => ({
  type: 'approval.requested',
  at: approval.askedAt,
  ...approvalFields(approval, { groups: approval.needs.map(({ group }) => group) }),
  chain: chainOf(task),
  ...by,
});
