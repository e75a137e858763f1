/** An error as a log may show it: messages only from those who are known to put no secret into them. */
import { defined } from '../domain/defined.js';
import { types } from 'node:util';
import { BrokerError } from '../domain/errors.js';

/**
 * Ours, and the plain Error that says a bug. Not SyntaxError (JSON.parse quotes its input), not TypeError (Headers quotes
 * its value), not the errors of libraries, which carry payloads, commands and bodies.
 */
const SPEAKABLE = new Set([
  'Error',
  'BrokerError',
  'ConfigError',
  'StoreUnavailable',
  'LogGap',
  'LogReplaced',
  'NothingMinted',
  'OutboundError',
]);
const CAUSES_MAX = 4;

interface SafeError {
  type: string;
  code?: string;
  message?: string;
  retry?: string;
  decisionId?: string;
  /** Where, without the message that a stack begins with. Absent for a refusal: that is no bug. */
  at?: string[];
  cause?: SafeError;
}

export function safeError(error: unknown, depth = 0): SafeError {
  if (!types.isNativeError(error)) return { type: typeof error };
  const code = codeOf(error);
  return defined({
    type: error.name,
    code,
    ...(SPEAKABLE.has(error.name) && { message: error.message }),
    ...(error instanceof BrokerError ? refusal(error) : { at: framesOf(error) }),
    ...(error.cause !== undefined && depth < CAUSES_MAX && { cause: safeError(error.cause, depth + 1) }),
  });
}

const refusal = ({ details }: BrokerError): Pick<SafeError, 'retry' | 'decisionId'> =>
  defined({ retry: details.retry, decisionId: details.decision?.id });

/** `ECONNREFUSED`, `ERR_JWT_EXPIRED`, `invalid_request`: a word, never a sentence. */
function codeOf(error: Error): string | undefined {
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : undefined;
}

const framesOf = ({ stack = '' }: Error): string[] =>
  stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^at .*(?:\(.*:\d+:\d+\)|:\d+:\d+)$/.test(line))
    .slice(0, 8);
