/** What callers ask, in the broker's words: the endpoints translate. */
import type { Access, TargetAccess } from '../domain/access.js';
import type { Repeat } from '../ledger/idempotency.js';
import type { Presented } from './asker.js';

export interface ExchangeRequest {
  subject: Presented;
  actor?: Presented;
  clientId?: string;
  /** The `resource`: what the credential is for. */
  target: string;
  access: Access[];
  /** Some of it was asked as `scope`, so a mistake in it is an `invalid_scope`. */
  askedAsScope: boolean;
  under: { purpose: string } | { taskId: string };
  lifetimeSeconds?: number;
  repeat?: Repeat;
  requestId: string;
}

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
  repeat?: Repeat;
  requestId: string;
}
