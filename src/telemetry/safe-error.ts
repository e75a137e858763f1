/** An error as a log may show it. Messages are kept only of classes that are known to put no secret into them. */
import { types } from 'node:util';
import { defined } from '../domain/defined.js';
import { errorCode } from '../domain/error-code.js';
import { BrokerError } from '../domain/errors.js';

/**
 * The classes whose message is logged: this project's own, and the plain Error of a bug. Not SyntaxError, because JSON.parse
 * quotes its input; not TypeError, because Headers quotes its value; not the errors of libraries, because they carry payloads,
 * commands and bodies.
 */
export const LOGGED_WITH_MESSAGE: ReadonlySet<string> = new Set([
  'Error',
  'BrokerError',
  'ConfigError',
  'StoreUnavailable',
  'LogGap',
  'NothingMinted',
  'OutboundError',
  'Unanswered',
]);
const CAUSES_MAX = 4;

interface SafeError {
  type: string;
  code?: string;
  message?: string;
  retry?: string;
  decisionId?: string;
  /** The stack without its first lines, which repeat the message. Absent for a refusal, which is not a bug. */
  at?: string[];
  cause?: SafeError;
}

export function safeError(error: unknown, depth = 0): SafeError {
  if (!types.isNativeError(error)) return { type: typeof error };
  const code = errorCode(error);
  return defined({
    type: error.name,
    code,
    ...(LOGGED_WITH_MESSAGE.has(error.name) && { message: error.message }),
    ...(error instanceof BrokerError ? refusal(error) : { at: framesOf(error) }),
    ...(error.cause !== undefined && depth < CAUSES_MAX && { cause: safeError(error.cause, depth + 1) }),
  });
}

/** Returns what a person may read of an error and of its causes, in one line. */
export function sentenceOf(error: unknown): string {
  const texts: string[] = [];
  for (let at: SafeError | undefined = safeError(error); at; at = at.cause)
    texts.push(at.message ?? at.code ?? at.type);
  return texts.map((text) => text.replace(/\.$/, '')).join(': ');
}

const refusal = ({ details }: BrokerError): Pick<SafeError, 'retry' | 'decisionId'> =>
  defined({ retry: details.retry, decisionId: details.decision?.id });

const framesOf = ({ stack = '' }: Error): string[] =>
  stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^at .*(?:\(.*:\d+:\d+\)|:\d+:\d+)$/.test(line))
    .slice(0, 8);
