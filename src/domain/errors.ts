/** Refusals. Expected alternatives are return values, bugs are plain Errors; what is refused is a BrokerError. */

import type { PolicyOutcome } from './policy-outcome.js';

export const BROKER_ERROR_CODES = [
  'invalid_request',
  'invalid_client',
  'invalid_token',
  'invalid_grant',
  'invalid_target',
  'invalid_scope',
  'invalid_authorization_details',
  'unsupported_grant_type',
  'access_denied',
  'not_found',
  'conflict',
  'slow_down',
  'temporarily_unavailable',
  'method_not_allowed',
  'unsupported_media_type',
  'payload_too_large',
  'server_error',
] as const;

export type BrokerErrorCode = (typeof BROKER_ERROR_CODES)[number];

export const RETRIES = ['never', 'with-less', 'after-approval', 'after-lift', 'later'] as const;

/** What the caller should do next; docs/errors.md explains each. */
type Retry = (typeof RETRIES)[number];

/** What helps after each code, unless the place that refuses knows better. */
const RETRY_BY_CODE: Readonly<Record<BrokerErrorCode, Retry>> = {
  invalid_request: 'never',
  invalid_client: 'never',
  invalid_token: 'never',
  invalid_grant: 'never',
  invalid_target: 'never',
  invalid_scope: 'never',
  invalid_authorization_details: 'never',
  unsupported_grant_type: 'never',
  access_denied: 'never',
  not_found: 'never',
  conflict: 'never',
  slow_down: 'later',
  temporarily_unavailable: 'later',
  method_not_allowed: 'never',
  unsupported_media_type: 'never',
  payload_too_large: 'never',
  server_error: 'later',
};

interface BrokerErrorDetails {
  retry?: Retry;
  /** What policy said, when it was asked: the id goes to the caller, the rest to the audit log. */
  decision?: { id: string; outcome: PolicyOutcome; policies: string[]; digest: string };
  retryAfterSeconds?: number;
  /** Never shown to the caller. */
  cause?: unknown;
}

export class BrokerError extends Error {
  override name = 'BrokerError';
  readonly code: BrokerErrorCode;
  readonly details: BrokerErrorDetails & { retry: Retry };

  /** @param publicText One sentence for the caller's developer; never a token, a key or somebody else's answer. */
  constructor(code: BrokerErrorCode, publicText: string, details: BrokerErrorDetails = {}) {
    super(publicText, { cause: details.cause });
    this.code = code;
    this.details = { retry: RETRY_BY_CODE[code], ...details };
  }
}
