/** The status and the title of every refusal. docs/errors.md explains each; a test holds both together. */
import type { BrokerErrorCode } from '../../domain/errors.js';
import type { RefusalFormat } from './endpoint.js';

interface WireError {
  status: number;
  /** The status on OAuth endpoints, where RFC 6749 §5.2 answers 400 and other APIs do not. */
  oauthStatus?: number;
  /** The status on endpoints of AuthZEN 1.0, which knows no other for a request that cannot be read. */
  authzenStatus?: number;
  /** RFC 9457 §3.1.3: the title is the same for every occurrence. */
  title: string;
}

export const wireErrors = {
  invalid_request: { status: 400, title: 'The request is malformed' },
  invalid_client: { status: 401, title: 'The client did not prove who it is' },
  invalid_token: { status: 401, title: 'The caller did not prove who it is' },
  invalid_grant: { status: 400, title: 'The task cannot be used' },
  invalid_target: { status: 400, title: 'The resource cannot be used' },
  invalid_scope: { status: 400, title: 'The requested access is malformed or too wide' },
  invalid_authorization_details: { status: 400, title: 'The authorization details are malformed' },
  unsupported_grant_type: { status: 400, title: 'The grant type is not supported' },
  unsupported_response_type: { status: 400, title: 'Nobody logs in here' },
  authorization_pending: { status: 400, title: 'People have not answered yet' },
  expired_token: { status: 400, title: 'What was waited for has lapsed' },
  access_denied: { status: 403, oauthStatus: 400, title: 'The request is not permitted now' },
  not_found: { status: 404, title: 'The resource does not exist, or you may not read it' },
  conflict: { status: 409, title: 'The request conflicts with the current state' },
  slow_down: { status: 429, title: 'A limit is reached: ask again later' },
  quota_exceeded: { status: 429, title: 'The store holds as much for the caller as it may' },
  temporarily_unavailable: { status: 503, title: 'The broker cannot do this safely now' },
  method_not_allowed: { status: 405, title: 'The method is not allowed on this path' },
  unsupported_media_type: { status: 415, authzenStatus: 400, title: 'The content type is not supported' },
  payload_too_large: { status: 413, title: 'The request is too large' },
  server_error: { status: 500, title: 'The broker failed' },
} as const satisfies Record<BrokerErrorCode, WireError>;

/** Returns the status of the refusal in this format. */
export function statusOf(code: BrokerErrorCode, format: RefusalFormat): number {
  const { status, oauthStatus = status, authzenStatus = status } = wireErrorOf(code);
  if (format === 'oauth') return oauthStatus;
  return format === 'authzen' ? authzenStatus : status;
}

export const wireErrorOf = (code: BrokerErrorCode): WireError => wireErrors[code];
