/** What audit entries say of an approval: what is asked for in the broker's own terms, and what becomes of it. */
import type { AuditEvent } from '../audit/event.js';
import { termsOf, type Approval } from '../domain/approval.js';
import { defined } from '../domain/defined.js';

type Said = Omit<NonNullable<AuditEvent['approval']>, 'id' | 'lapsesAt' | 'lifetimeSeconds'>;

export function approvalFields(approval: Approval, said: Said) {
  const { id, task, workload, principal, purpose, asked, lapsesAt } = approval;
  const { access, lifetimeSeconds } = termsOf(approval);
  return defined({
    task,
    workload: workload.id,
    principal: principal?.id,
    purpose,
    target: asked.target,
    access: access.map(({ path, actions }) => ({ path, actions: [...actions] })),
    approval: { id, ...said, lifetimeSeconds, lapsesAt },
  });
}
