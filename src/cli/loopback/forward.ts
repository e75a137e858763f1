/**
 * A reverse proxy that adds a credential to each request, and passes everything else on as it is, while it comes. It follows no
 * redirect, and the credential never leaves it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Agent, type Dispatcher } from 'undici';
import type { Credential } from '../../client/index.js';
import { forApi, forCommand } from './headers.js';
import type { LiveAccess } from './live-access.js';
import { refusalOfPath } from './path.js';
import { refusalOf, refuse, type Refusal } from './refusal.js';
import type { Handler } from './server.js';

interface Upstream {
  /** Where the API is: an origin, and perhaps a path, without a slash at its end. */
  url: string;
  /** Paths below it that may be called, with all that is below them. */
  allow: readonly string[];
}

interface Forwarder {
  handle: Handler;
  close: () => Promise<void>;
}

/** @param self Returns the address that the command calls, without a slash at its end. */
export function forwarder(upstream: Upstream, live: LiveAccess, self: () => string): Forwarder {
  // Answers of models and event streams take as long as they take.
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  return {
    async handle(request, response, path) {
      const refusal = refusalOfMethod(request) ?? refusalOfPath(path, upstream.allow);
      if (refusal) refuse(response, refusal);
      else await forward(request, response, { agent, live, path, upstream: new URL(upstream.url), self: self() });
    },
    close: () => agent.destroy(),
  };
}

/** TRACE would show the command the credential. */
function refusalOfMethod({ method }: IncomingMessage): Refusal | undefined {
  return method === 'TRACE'
    ? { status: 405, code: 'method_not_allowed', message: 'TRACE is not passed on.' }
    : undefined;
}

interface Route {
  agent: Agent;
  live: LiveAccess;
  path: string;
  upstream: URL;
  self: string;
}

async function forward(request: IncomingMessage, response: ServerResponse, route: Route): Promise<void> {
  const ending = new AbortController();
  response.on('close', () => ending.abort());
  let done: (() => void) | undefined;
  try {
    const credential = await route.live.credential();
    const running = route.live.run(credential, (why) => ending.abort(why));
    ({ done } = running);
    let answer = await send(request, credential, { ...route, signal: ending.signal });
    if (answer.statusCode === 401 && running.refused() && !hasBody(request)) {
      await answer.body.dump();
      const next = await route.live.credential();
      running.replace(next);
      answer = await send(request, next, { ...route, signal: ending.signal });
    }
    response.writeHead(answer.statusCode, forCommand(answer.headers as unknown as string[], route));
    // The head of an event stream comes long before its first event.
    response.flushHeaders();
    await pipeline(answer.body, response, { signal: ending.signal });
  } catch (error) {
    // Half an answer is broken off by the pipeline, and must not look like a whole one.
    if (!response.headersSent)
      refuse(response, refusalOf(ending.signal.reason ?? error) ?? unreached(error, route.upstream));
  } finally {
    done?.();
  }
}

function send(
  request: IncomingMessage,
  { token }: Credential,
  { agent, path, upstream, signal }: Route & { signal: AbortSignal },
): Promise<Dispatcher.ResponseData> {
  return agent.request({
    origin: upstream.origin,
    path: `${upstream.pathname.replace(/\/$/, '')}${path}` || '/',
    method: request.method ?? 'GET',
    headers: forApi(request, token),
    // Not the request itself: what the API leaves unread is read here, or the command waits for five seconds with its next request.
    body: hasBody(request) ? request.pipe(new PassThrough()).on('close', () => request.resume()) : null,
    responseHeaders: 'raw',
    signal,
  });
}

/** A body is read once, and cannot be sent again. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** The code alone is quoted, for example ECONNREFUSED or CERT_HAS_EXPIRED. */
function unreached(error: unknown, { host }: URL): Refusal {
  const { code } = error as { code?: unknown };
  const why = typeof code === 'string' && /^\w{1,64}$/.test(code) ? `: ${code}` : '';
  return { status: 502, code: 'bad_gateway', message: `${host} gave no answer${why}.` };
}
