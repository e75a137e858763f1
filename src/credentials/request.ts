/** What callers ask, in the broker's words: the endpoints translate. */
import type { Proofs } from '../authorization/requester.js';
import type { Access } from '../domain/access.js';
import type { IdempotencyKey } from '../ledger/idempotency.js';

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
  idempotencyKey?: IdempotencyKey;
  requestId: string;
}

export type ExchangeRequest = Proofs & CredentialRequest;
