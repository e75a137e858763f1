/** Fields of audit entries that several use cases write. Revocations are not among them: the audit log reads those from the revocation log. */
import { defined } from '../domain/defined.js';
import type { AuditEvent } from '../audit/event.js';
import type { BrokerError } from '../domain/errors.js';
import type { Task } from '../domain/task.js';
import type { AuthenticatedCaller } from '../identity/proof.js';

/** Returns the audit entry of a refusal. The caller is authenticated. */
export const refusedEvent = (
  type: 'credential.refused' | 'operation.refused',
  at: number,
  error: BrokerError,
  caller: AuthenticatedCaller,
  about: Partial<AuditEvent>,
): AuditEvent =>
  defined({
    type,
    at,
    ...callerFields(caller),
    ...about,
    error: error.code,
    reason: error.message,
    retry: error.details.retry,
    decision: error.details.decision,
  });

export const callerFields = ({ party, proofHash }: AuthenticatedCaller) => ({
  actor: { id: party.id, kind: party.kind, issuer: party.issuer },
  proofHash,
});

export const taskFields = (task: Task) =>
  defined({
    task: task.id,
    workload: task.workload.id,
    principal: task.principal?.id,
    purpose: task.purpose,
  });
