/** A request for a credential, in the broker's own terms; the endpoints translate the parameters of the standards. */
import type { Requester } from '../authorization/requester.js';
import type { Access, TargetAccess } from '../domain/access.js';
import type { IdempotencyKey } from '../ledger/idempotency.js';

export interface CredentialRequest {
  /** The `resource` of RFC 8707: the target that the credential is for. */
  target: string;
  /** Absent: all that the task was opened for at this target. */
  access?: Access[];
  /** The most that the grant allows, of what it is for: the ceiling of a task that is opened by it. Absent: policy alone decides. */
  ceiling?: TargetAccess[];
  /** The `requested_token_type`; absent: the type of the target. */
  tokenType?: string;
  /** Whether the request has a `scope`: then an unknown action is an `invalid_scope`. */
  askedAsScope: boolean;
  /**
   * `isDefault`: the purpose is that of the target, because the request has none. `isKept`: it is that of the task whose credential
   * was handed on, for the same reason.
   */
  under: { purpose: string; isDefault?: true; isKept?: true } | { taskId: string };
  lifetimeSeconds?: number;
  idempotencyKey?: IdempotencyKey;
  /**
   * It is of an SDK, which asks often and gives up soon. What was handed out before will do, while it is as good as new (see
   * `session-cache.ts`), and a target that cannot be minted for yet is waited for.
   */
  again?: true;
}

/** A request that is still to be read. It is read once its requester is known: strangers make the broker read nothing. */
export interface UnreadRequest {
  requestId: string;
  /** Throws the refusal of what is malformed. */
  read: (requester: Requester) => CredentialRequest;
}
