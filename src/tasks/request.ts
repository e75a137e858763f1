/** What is asked when a task is opened, in the broker's words. */
import type { TargetAccess } from '../domain/access.js';
import type { IdempotencyKey } from '../ledger/idempotency.js';

export interface OpenTaskRequest {
  workload: string;
  /** A person's id; absent: the task serves the workload itself, or whom its parent serves. */
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
