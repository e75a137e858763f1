/**
 * One request to the broker. A token is sent to the configured broker and to nobody else: no redirect is followed, and plain http
 * is for loopback. An answer is bounded in size and time before it is read.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isRetry } from '../domain/retry.js';
import { isSafeOrigin } from '../domain/safe-origin.js';
import {
  ApprovalNeeded,
  IdentityUnavailable,
  mayPass,
  MayflyError,
  Refused,
  retryAfterOf,
  Unavailable,
} from './errors.js';
/**
 * Returns the token of the source, without white space around it. Anything else must not become a header: the error of `fetch` would
 * quote it, and half a token is one too many in a log. Throws IdentityUnavailable.
 */
export async function tokenFrom(source, whose) {
  const token = await Promise.resolve()
    .then(source)
    .catch((cause) => {
      if (cause instanceof MayflyError) throw cause;
      throw new IdentityUnavailable(`The source of the token of the ${whose} failed.`, { cause });
    });
  const text = textOf(token)?.trim() ?? '';
  if (/^[\w.~+/=-]+$/.test(text)) return text;
  throw new IdentityUnavailable(`The source of the token of the ${whose} gave something that is not one token.`);
}
/** The proof of every endpoint but `/token`. */
export const asBearer =
  ({ body, headers } = {}) =>
  (token) => ({ ...(body && { body }), headers: { Authorization: `Bearer ${token}`, ...headers } });
const ANSWER_BYTES_MAX = 1_000_000;
const ATTEMPTS_MAX = 3;
const WAIT_SECONDS_MAX = 15;
/** Returns the origin. Throws a MayflyError where a token must not be sent to it, and for a path: nothing would be sent there. */
export function brokerOrigin(url) {
  const { origin = '', href } = URL.canParse(url) ? new URL(url) : {};
  if (!isSafeOrigin(origin)) throw new MayflyError('The url of the broker must be https, or http on loopback.');
  if (href === `${origin}/`) return origin;
  throw new MayflyError(`The url of the broker must be an origin, such as ${origin}, without a path.`);
}
/** The codes for a proof of identity that is not accepted; `invalid_request` by RFC 8693 §2.2.2. */
const PROOF_REFUSED = ['invalid_token', 'invalid_client', 'invalid_request'];
/**
 * Returns the answer. A refusal that says `later` within 15 seconds is waited for, and so is an answer of nobody: three attempts
 * in all. So every request must be safe to repeat.
 */
export async function ask(connection, outgoing) {
  for (let attempt = 1; ; attempt += 1) {
    let token;
    try {
      token = await tokenFrom(connection.identity, 'workload');
      return await askOnce(connection, outgoing, token);
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
      if (await isOutdated(connection, token, error)) continue;
      const seconds = secondsToWait(error, attempt);
      if (seconds === undefined) throw error;
      const { signal } = outgoing;
      await pause(seconds * 1000, undefined, signal && { signal }).catch(() => undefined);
      signal?.throwIfAborted();
    }
  }
}
/** Returns whether a proof was refused that its source has replaced since: for example, the file was read while it was written. */
async function isOutdated({ identity }, token, error) {
  if (token === undefined || !(error instanceof Refused) || !PROOF_REFUSED.includes(error.code)) return false;
  identity.forget?.();
  return (await tokenFrom(identity, 'workload').catch(() => token)) !== token;
}
/**
 * Returns how long to wait before the request is repeated; undefined where that would not help. Many clients may have been sent away
 * at once, and must not all come back at once.
 */
function secondsToWait(error, attempt) {
  if (!mayPass(error)) return undefined;
  const seconds = (retryAfterOf(error) ?? 0) + (attempt * randomInt(100, 300)) / 1000;
  return seconds <= WAIT_SECONDS_MAX ? seconds : undefined;
}
async function askOnce({ url, fetch, timeoutMs }, { path, prove, signal }, token) {
  const { body, headers } = await prove(token);
  const timeout = AbortSignal.timeout(timeoutMs);
  let answer;
  let text;
  try {
    answer = await fetch(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: { Accept: 'application/json', ...contentType(body), ...headers },
      ...(body !== undefined && { body: body instanceof URLSearchParams ? body : JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    text = await boundedText(answer);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof Unavailable) throw cause;
    const why = timeout.aborted ? 'did not answer in time' : `cannot be reached${systemCodeOf(cause)}`;
    throw new Unavailable(`The broker ${why}.`, { cause });
  }
  // RFC 7009 answers with nothing.
  const members = text === '' ? {} : membersOf(text);
  if (answer.ok && members) return members;
  const shown = body instanceof URLSearchParams ? TOKEN_PARAMETERS.flatMap((name) => body.getAll(name)) : [];
  throw refusalOf(answer, members ?? {}, [token, ...shown]);
}
const TOKEN_PARAMETERS = ['subject_token', 'actor_token', 'token'];
/** Returns such as `: ECONNREFUSED` or `: DEPTH_ZERO_SELF_SIGNED_CERT`, so that a wrong certificate is told from a broker that is away. */
function systemCodeOf(error) {
  const { code } = error.cause ?? error;
  return typeof code === 'string' ? `: ${code}` : '';
}
const contentType = (body) =>
  body === undefined || body instanceof URLSearchParams ? {} : { 'Content-Type': 'application/json' };
/** Returns the body. Throws Unavailable for one that is too large. */
export async function boundedText({ body }) {
  const parts = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.byteLength;
    if (bytes > ANSWER_BYTES_MAX)
      throw new Unavailable('The broker gave no answer that makes sense: it is too large.', { mayPass: false });
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
/** Returns the members of a JSON object; undefined for any other text. The error of the parser would quote it. */
export function membersOf(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
const SENTENCE_CHARACTERS_MAX = 512;
/**
 * OAuth endpoints say `error` and `error_description`, all others `code` and `detail` (RFC 6749 and RFC 9457).
 * @param secrets What was sent. Whoever answered may have put it into the text, which goes to logs.
 */
function refusalOf({ status, headers }, members, secrets) {
  const code = textOf(members['error']) ?? textOf(members['code']);
  const said = textOf(members['error_description']) ?? textOf(members['detail']) ?? textOf(members['message']);
  const sentence = secrets.reduce((text, secret) => text?.replaceAll(secret, '…'), said);
  const retryAfterSeconds = secondsIn(headers.get('retry-after'));
  if (code === undefined) return noAnswer(status, retryAfterSeconds);
  const { retry } = members;
  const details = {
    status,
    code,
    retry: isRetry(retry) ? retry : 'never',
    decisionId: textOf(members['decision_id']),
    requestId: headers.get('x-request-id') ?? undefined,
    retryAfterSeconds,
  };
  const message = (sentence ?? code).slice(0, SENTENCE_CHARACTERS_MAX);
  const [approvalId, task] = [idIn(members['approval_id']), idIn(members['task_id'])];
  return details.retry === 'after-approval' && approvalId !== undefined && task !== undefined
    ? new ApprovalNeeded(message, { ...details, approvalId, task })
    : new Refused(message, details);
}
/** Ids become a part of paths, and are shown to people. */
const idIn = (value) => (typeof value === 'string' && /^[a-z]{3}_[a-z2-7]{16}$/.test(value) ? value : undefined);
/** Whatever answers without a code of the broker is something else: a proxy, a load balancer, a wrong address. */
function noAnswer(status, retryAfterSeconds) {
  const why = status >= 300 && status < 400 ? 'redirects are not followed' : 'a broker answers otherwise';
  const message = `The broker gave no answer that makes sense (status ${status}): ${why}.`;
  return new Unavailable(message, { mayPass: status === 429 || status >= 500, retryAfterSeconds });
}
/** RFC 9110 §10.2.3; a date is not understood. */
const secondsIn = (retryAfter) => (/^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined);
export const textOf = (value) => (typeof value === 'string' ? value : undefined);
