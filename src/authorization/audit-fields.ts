/** What the use cases tell the audit log. Deaths are not told here: the audit log follows the revocation log for those. */
import { defined } from '../domain/defined.js';
import type { AuditEvent } from '../audit/event.js';
import type { BrokerError } from '../domain/errors.js';
import type { Task } from '../domain/task.js';
import type { AuthenticatedCaller } from '../identity/proof.js';

/** A refusal after identity was proven. */
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
    ...provenFields(caller),
    ...about,
    error: error.code,
    reason: error.message,
    retry: error.details.retry,
    decision: error.details.decision,
  });

export const provenFields = ({ party, proofHash }: AuthenticatedCaller) => ({
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
