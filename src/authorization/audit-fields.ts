/** What the use cases tell the audit log. Deaths are not told here: the audit log follows the revocation log for those. */
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
): AuditEvent => ({
  type,
  at,
  ...provenFields(caller),
  ...about,
  error: error.code,
  reason: error.message,
  ...(error.details.retry && { retry: error.details.retry }),
  ...(error.details.decision && { decision: error.details.decision }),
});

export const provenFields = ({ party, proofHash }: AuthenticatedCaller) => ({
  actor: { id: party.id, kind: party.kind, issuer: party.issuer },
  proofHash,
});

export const taskFields = (task: Task) => ({
  task: task.id,
  workload: task.workload.id,
  ...(task.principal && { principal: task.principal.id }),
  purpose: task.purpose,
});
