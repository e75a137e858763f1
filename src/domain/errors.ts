/** Refusals. A BrokerError is a refusal. Expected alternatives are return values instead, and bugs are plain Errors. */

import type { ApprovalState } from './approval.js';
import type { DecisionRecord } from './decision.js';
import type { Retry } from './retry.js';

export const BROKER_ERROR_CODES = [
  'invalid_request',
  'invalid_client',
  'invalid_token',
  'invalid_grant',
  'invalid_target',
  'invalid_scope',
  'invalid_authorization_details',
  'unsupported_grant_type',
  'unsupported_response_type',
  'authorization_pending',
  'expired_token',
  'access_denied',
  'not_found',
  'conflict',
  'slow_down',
  'quota_exceeded',
  'temporarily_unavailable',
  'method_not_allowed',
  'unsupported_media_type',
  'payload_too_large',
  'server_error',
] as const;

export type BrokerErrorCode = (typeof BROKER_ERROR_CODES)[number];

/** The default for each code. The place that refuses names another value only where it knows better. */
const RETRY_BY_CODE: Readonly<Record<BrokerErrorCode, Retry>> = {
  invalid_request: 'never',
  invalid_client: 'never',
  invalid_token: 'never',
  invalid_grant: 'never',
  invalid_target: 'never',
  invalid_scope: 'never',
  invalid_authorization_details: 'never',
  unsupported_grant_type: 'never',
  unsupported_response_type: 'never',
  authorization_pending: 'never',
  expired_token: 'never',
  access_denied: 'never',
  not_found: 'never',
  conflict: 'never',
  slow_down: 'later',
  quota_exceeded: 'later',
  temporarily_unavailable: 'later',
  method_not_allowed: 'never',
  unsupported_media_type: 'never',
  payload_too_large: 'never',
  server_error: 'later',
};

interface BrokerErrorDetails {
  retry?: Retry;
  /** The decision of policy, if policy was asked. The caller gets the id, and the audit log gets all of it. */
  decision?: DecisionRecord;
  retryAfterSeconds?: number;
  /** With `conflict`: the state of the approval that could not be changed. */
  state?: ApprovalState;
  /** The question to people that the request waits for, or that was answered with no, and the task that it hangs on. */
  approval?: { id: string; task: string; lapsesAt: number };
  /** The code by which what people must agree to is fetched. It is a secret, and goes to whoever asked alone. */
  deferral?: { code: string; expiresInSeconds: number; intervalSeconds: number };
  /** What an operator should look at, for the log. The caller never sees it. */
  advice?: string;
  /** False where `temporarily_unavailable` says nothing against the broker: a stranger can cause it, so it must raise no alarm. */
  isOutage?: false;
  /** The error behind the refusal, for the log. The caller never sees it. */
  cause?: unknown;
}

export class BrokerError extends Error {
  override name = 'BrokerError';
  readonly code: BrokerErrorCode;
  readonly details: BrokerErrorDetails & { retry: Retry };

  /** @param publicText One sentence for the caller's developer. It never contains a token, a key or the answer of an upstream. */
  constructor(code: BrokerErrorCode, publicText: string, details: BrokerErrorDetails = {}) {
    super(publicText, { cause: details.cause });
    this.code = code;
    this.details = { retry: RETRY_BY_CODE[code], ...details };
  }
}

/** Returns whether the broker, or what it needs, fails: all else is about the caller. */
export const isFailure = ({ code, details }: BrokerError): boolean =>
  code === 'server_error' || (code === 'temporarily_unavailable' && details.isOutage !== false);

/** Returns the value in the place of a denial, for `catch`. An outage stays one: who could not be asked has not said no. */
export const ifDenied =
  <T>(value: T) =>
  (error: unknown): T => {
    if (error instanceof BrokerError && error.code === 'access_denied') return value;
    throw error;
  };
