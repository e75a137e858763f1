/** A request to open a task, in the broker's own terms. */
import type { TargetAccess } from '../domain/access.js';
import type { IdempotencyKey } from '../ledger/idempotency.js';

export interface OpenTaskRequest {
  workload: string;
  /** A person's id. Absent: the task serves the person its parent serves, or the workload itself. */
  principal?: string;
  purpose: string;
  /** The ceiling: the most that can be granted under the task. */
  access?: TargetAccess[];
  deadlineSeconds?: number;
  parent?: string;
  heartbeat?: { intervalSeconds: number; missesAllowed: number };
  idempotencyKey?: IdempotencyKey;
  requestId: string;
}
