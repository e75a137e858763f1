/**
 * One request to the broker. A token is sent to the configured broker and to nobody else: no redirect is followed, and plain http
 * is for loopback. An answer is bounded in size and time before it is read.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isSafeOrigin } from '../domain/safe-origin.js';
import { IdentityUnavailable, MayflyError, Refused, Unavailable, type Retry } from './errors.js';

/** Returns an identity token that is valid now. It is asked before each request, so that it may rotate. */
export type IdentitySource = () => string | Promise<string>;

/**
 * Returns the token of the source, without white space around it. Anything else must not become a header: the error of `fetch` would
 * quote it, and half a token is one too many in a log. Throws IdentityUnavailable.
 */
export async function tokenFrom(source: IdentitySource, whose: 'workload' | 'person'): Promise<string> {
  const token = await Promise.resolve()
    .then(source)
    .catch((cause: unknown) => {
      if (cause instanceof MayflyError) throw cause;
      throw new IdentityUnavailable(`The source of the token of the ${whose} failed.`, { cause });
    });
  const text = textOf(token)?.trim() ?? '';
  if (/^[\w.~+/=-]+$/.test(text)) return text;
  throw new IdentityUnavailable(`The source of the token of the ${whose} gave something that is not one token.`);
}

export interface Connection {
  /** The origin of the broker. */
  url: string;
  identity: IdentitySource;
  fetch: typeof fetch;
  timeoutMs: number;
}

interface Outgoing {
  path: string;
  /** An object is sent as JSON, parameters as a form; without a body it is a GET. */
  body?: object | URLSearchParams;
  headers?: Record<string, string>;
  /** Ends the waiting, and the request. */
  signal?: AbortSignal;
}

type Members = Readonly<Record<string, unknown>>;

const ANSWER_BYTES_MAX = 1_000_000;
const ATTEMPTS_MAX = 3;
const WAIT_SECONDS_MAX = 15;

/** Returns the origin. Throws a MayflyError where a token must not be sent to it, and for a path: nothing would be sent there. */
export function brokerOrigin(url: string): string {
  const { origin = '', href } = URL.canParse(url) ? new URL(url) : {};
  if (!isSafeOrigin(origin)) throw new MayflyError('The url of the broker must be https, or http on loopback.');
  if (href === `${origin}/`) return origin;
  throw new MayflyError(`The url of the broker must be an origin, such as ${origin}, without a path.`);
}

/**
 * Returns the answer. A refusal that says `later` within 15 seconds is waited for, and so is an answer of nobody: three attempts
 * in all. So every request must be safe to repeat.
 */
export async function ask(connection: Connection, outgoing: Outgoing): Promise<Members> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askOnce(connection, outgoing);
    } catch (error) {
      const seconds = attempt < ATTEMPTS_MAX ? secondsToWait(error, attempt) : undefined;
      if (seconds === undefined) throw error;
      const { signal } = outgoing;
      await pause(seconds * 1000, undefined, signal && { signal }).catch(() => undefined);
      signal?.throwIfAborted();
    }
  }
}

/** Returns how long to wait before the request is repeated; undefined where that would not help. */
function secondsToWait(error: unknown, attempt: number): number | undefined {
  if (error instanceof Unavailable) return (attempt * randomInt(100, 300)) / 1000;
  if (!(error instanceof Refused) || error.retry !== 'later') return undefined;
  const seconds = error.retryAfterSeconds ?? 1;
  return seconds <= WAIT_SECONDS_MAX ? seconds : undefined;
}

async function askOnce({ url, fetch, timeoutMs }: Connection, { path, body, headers, signal }: Outgoing) {
  const timeout = AbortSignal.timeout(timeoutMs);
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      redirect: 'error',
      headers: { Accept: 'application/json', ...contentType(body), ...headers },
      ...(body !== undefined && { body: body instanceof URLSearchParams ? body : JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    text = await boundedText(answer);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof Unavailable) throw cause;
    throw new Unavailable(timeout.aborted ? 'The broker did not answer in time.' : 'The broker cannot be reached.', {
      cause,
    });
  }
  // RFC 7009 answers with nothing.
  const members = text === '' ? {} : membersOf(text);
  if (answer.ok && members) return members;
  throw refusalOf(answer, members ?? {});
}

const contentType = (body: Outgoing['body']): Record<string, string> =>
  body === undefined || body instanceof URLSearchParams ? {} : { 'Content-Type': 'application/json' };

async function boundedText({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.byteLength;
    if (bytes > ANSWER_BYTES_MAX) throw new Unavailable('The broker gave no answer that makes sense: it is too large.');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Returns the members of a JSON object; undefined for any other text. The error of the parser would quote it. */
export function membersOf(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
  } catch {
    return undefined;
  }
}

const RETRIES: readonly unknown[] = ['never', 'with-less', 'after-approval', 'after-lift', 'later'] satisfies Retry[];

/** OAuth endpoints say `error` and `error_description`, all others `code` and `detail` (RFC 6749 and RFC 9457). */
function refusalOf({ status, headers }: Response, members: Members): Refused | Unavailable {
  const code = textOf(members['error']) ?? textOf(members['code']);
  const sentence = textOf(members['error_description']) ?? textOf(members['detail']) ?? textOf(members['message']);
  // Whatever answers without a code of the broker is something else: a proxy, a wrong address.
  if (code === undefined) return new Unavailable(`The broker gave no answer that makes sense (status ${status}).`);
  const { retry } = members;
  const wait = Number(headers.get('retry-after') ?? Number.NaN);
  const details = {
    status,
    code,
    retry: RETRIES.includes(retry) ? (retry as Retry) : 'never',
    decisionId: textOf(members['decision_id']),
    requestId: headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: Number.isFinite(wait) && wait >= 0 ? wait : undefined,
  } as const;
  return new Refused(sentence ?? code, details);
}

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
