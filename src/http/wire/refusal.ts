/**
 * A refusal as an answer: by RFC 6749 on OAuth endpoints, by RFC 9457 elsewhere, in the formats of AWS SDKs and of RFC 8935
 * where those clients call. Any other error is a bug, and the caller learns nothing about it.
 */
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import { StoreUnavailable } from '../../store/store.js';
import type { Answer, Call, RefusalFormat } from './endpoint.js';
import { statusOf, wireErrorOf } from './wire-errors.js';

interface RefusalStyle {
  format: RefusalFormat;
  /** The broker's public origin: `error_uri` points into the broker's own documentation. */
  issuer: string;
}

const UNKNOWN =
  'The store did not answer, or took no write. What was asked may or may not have been done: repeat the request.';

/** Returns the refusal that the caller may see, whatever was thrown. */
export function publicError(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  if (error instanceof StoreUnavailable) {
    return new BrokerError('temporarily_unavailable', UNKNOWN, { retryAfterSeconds: 1, cause: error });
  }
  return new BrokerError('server_error', 'The broker failed; its log has the reason, under the id of this request.', {
    cause: error,
  });
}

export function refusalOf(
  error: BrokerError,
  call: Pick<Call, 'requestId' | 'headers'>,
  { format, issuer }: RefusalStyle,
): Answer {
  const { code, message } = error;
  const { title } = wireErrorOf(code);
  const status = statusOf(code, format);
  const uri = `${issuer}/errors#${code}`;
  const next = nextOf(error);
  const headers = { ...waitOf(error), ...challengeOf(error, call) };
  switch (format) {
    case 'oauth':
      return {
        status,
        headers,
        body: {
          error: code,
          error_description: inRfc6749Letters(message),
          error_uri: uri,
          ...next,
          ...deferralOf(error),
        },
      };
    // The container credential providers of AWS SDKs show these two fields to people, and no header.
    case 'container':
      return { status, headers, body: { code, message: `${message}${waitText(headers)}`, ...next } };
    // RFC 8935 §2.3 has error codes for faults of the event only. For every other fault the status is what counts.
    case 'set':
      return {
        status,
        headers: { ...headers, 'Content-Language': 'en' },
        body: { err: 'invalid_request', description: message },
      };
    // AuthZEN 1.0 §10.1.2: the body is a message.
    case 'authzen':
      return {
        status,
        headers: { ...headers, 'Content-Type': 'application/json; charset=utf-8' },
        body: JSON.stringify(message),
      };
    default:
      return {
        status,
        headers: { ...headers, 'Content-Type': 'application/problem+json' },
        body: { type: uri, title, status, detail: message, instance: call.requestId, code, ...next, ...stateOf(error) },
      };
  }
}

/** An approval that cannot be answered says in which state it is. */
const stateOf = ({ details: { state } }: BrokerError) => defined({ state });

/** What can be done next, and what to show to whom. */
const nextOf = ({ details: { decision, retry, approval } }: BrokerError) =>
  defined({ decision_id: decision?.id, retry, approval_id: approval?.id, task_id: approval?.task });

/** As the draft of the Deferred Token Response names it. */
const deferralOf = ({ details: { deferral } }: BrokerError) =>
  deferral && {
    deferral_code: deferral.code,
    expires_in: deferral.expiresInSeconds,
    interval: deferral.intervalSeconds,
  };

function waitOf({ code, details }: BrokerError): Record<string, string> {
  const fallback = code === 'slow_down' || code === 'temporarily_unavailable' ? 1 : undefined;
  const seconds = details.retryAfterSeconds ?? fallback;
  return seconds === undefined ? {} : { 'Retry-After': String(seconds) };
}

const waitText = ({ 'Retry-After': seconds }: Record<string, string>): string =>
  seconds === undefined ? '' : ` (Retry-After: ${seconds} s)`;

/**
 * Returns the challenge that belongs to a refusal. A challenge only answers an Authorization header: clients that see one
 * hide the body, and with it the reason.
 */
function challengeOf({ code }: BrokerError, { headers }: Pick<Call, 'headers'>): Record<string, string> {
  if (wireErrorOf(code).status !== 401 || headers.authorization === undefined) return {};
  return {
    'WWW-Authenticate': `Bearer realm="mayfly", error="${code === 'invalid_token' ? code : 'invalid_request'}"`,
  };
}

/** Returns the text in the characters of RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E. */
const inRfc6749Letters = (text: string): string =>
  text
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .replaceAll(/[^\x20-\x7e]/g, '?');
