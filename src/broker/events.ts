/** What the use cases tell the audit log. Deaths are not told here: the audit log follows the revocation log for those. */
import type { AuditEvent } from '../audit/event.js';
import type { BrokerError } from '../domain/errors.js';
import type { Task } from '../domain/task.js';
import type { Proven } from '../identity/caller.js';
import type { Decision } from './decide.js';
import type { Grant } from './grant.js';

export function grantedEvent(
  at: number,
  { asker, credential, task, decision }: Grant,
  requestId: string,
  scopeHash?: string,
): AuditEvent {
  return {
    type: 'credential.granted',
    at,
    ...provenFields(asker.caller),
    ...taskFields(task),
    credential: credential.id,
    target: credential.target,
    access: credential.access,
    expiresAt: credential.expiresAt,
    ...(scopeHash !== undefined && { scopeHash }),
    decision: decisionFields(decision),
    requestId,
  };
}

export const openedEvent = (at: number, task: Task, caller: Proven, requestId: string): AuditEvent => ({
  type: 'task.opened',
  at,
  ...provenFields(caller),
  ...taskFields(task),
  expiresAt: task.deadline,
  requestId,
});

/** A refusal after identity was proven. */
export const refusedEvent = (
  type: 'credential.refused' | 'operation.refused',
  at: number,
  error: BrokerError,
  caller: Proven,
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

export const provenFields = ({ party, proofHash }: Proven) => ({
  actor: { id: party.id, kind: party.kind, issuer: party.issuer },
  proofHash,
});

const taskFields = (task: Task) => ({
  task: task.id,
  workload: task.workload.id,
  ...(task.principal && { principal: task.principal.id }),
  purpose: task.purpose,
});

const decisionFields = ({ id, outcome, policies, digest }: Decision) => ({ id, outcome, policies, digest });
