/** Every refusal on the wire: its status, and its title for people. docs/errors.md explains each; a test holds both together. */
import type { BrokerErrorCode } from '../domain/errors.js';

interface WireError {
  status: number;
  /** RFC 6749 §5.2 and RFC 8628 §3.5 answer 400 where other APIs would not. */
  oauthStatus?: number;
  /** RFC 9457: the same for every occurrence. */
  title: string;
}

export const wireErrors = {
  invalid_request: { status: 400, title: 'The request is malformed' },
  invalid_client: { status: 401, title: 'The client did not prove who it is' },
  invalid_token: { status: 401, title: 'The caller did not prove who it is' },
  invalid_grant: { status: 400, title: 'The task cannot be used' },
  invalid_target: { status: 400, title: 'The resource cannot be used' },
  invalid_scope: { status: 400, title: 'The access asked for is malformed or too wide' },
  invalid_authorization_details: { status: 400, title: 'The authorization details are malformed' },
  unsupported_grant_type: { status: 400, title: 'The grant type is not supported' },
  access_denied: { status: 403, oauthStatus: 400, title: 'It is not permitted, or not now' },
  not_found: { status: 404, title: 'There is no such thing' },
  conflict: { status: 409, title: 'It does not fit what is there' },
  slow_down: { status: 429, title: 'Too much at once' },
  temporarily_unavailable: { status: 503, title: 'The broker cannot do it safely now' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  unsupported_media_type: { status: 415, title: 'The content type is not understood here' },
  payload_too_large: { status: 413, title: 'The request is too large' },
  server_error: { status: 500, title: 'The broker failed' },
} as const satisfies Record<BrokerErrorCode, WireError>;

export const wireErrorOf = (code: BrokerErrorCode): WireError => wireErrors[code];
