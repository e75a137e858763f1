/** What callers ask, in the broker's words: the endpoints translate. */
import type { Access, TargetAccess } from '../domain/access.js';
import type { Repeat } from '../ledger/idempotency.js';

interface Presented {
  token: string;
  type: string;
}

/** Who asks, as presented. */
export interface Proofs {
  subject: Presented;
  actor?: Presented;
  clientId?: string;
}

/** What is asked for, whoever asks. */
export interface CredentialRequest {
  /** The `resource`: what the credential is for. */
  target: string;
  /** Absent: what the task was opened for. */
  access?: Access[];
  /** The `requested_token_type`; absent: what the target takes. */
  tokenType?: string;
  /** Some of it was asked as `scope`, so a mistake in it is an `invalid_scope`. */
  askedAsScope: boolean;
  under: { purpose: string } | { taskId: string };
  lifetimeSeconds?: number;
  repeat?: Repeat;
  requestId: string;
}

export type ExchangeRequest = Proofs & CredentialRequest;

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
