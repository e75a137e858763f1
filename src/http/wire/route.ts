/** Endpoints behind HTTP: finds the endpoint, reads the request, writes the answer or the refusal, counts and logs. */
import type { IncomingMessage, OutgoingHttpHeader, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BrokerError } from '../../domain/errors.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { RequestLog } from '../../telemetry/request-log.js';
import { readBody } from './body.js';
import { callerAddress, type AddressOf } from './caller-address.js';
import type { Answer, Call, Endpoint } from './endpoint.js';
import { requestIdOf } from './fields.js';
import { noteTask } from './noted.js';
import { publicError, refusalOf } from './refusal.js';
import { router } from './router.js';

interface RouteDeps {
  metrics: Pick<Metrics, 'expect' | 'httpTook' | 'refused'>;
  requests: Pick<RequestLog, 'write'>;
  issuer: string;
  /** The proxies that are believed when they say whose request they hand on. Default: none. */
  trustProxy?: readonly string[];
  /** Whether machines ask these endpoints every few seconds. Default: no. */
  polled?: boolean;
}

/** Who answers a request: an endpoint, or what refuses it. */
interface Served extends Pick<Endpoint, 'path' | 'refusals' | 'handle'> {
  /** Without it no body is read, because whatever was sent is refused. */
  bodyBytes?: number;
  /** Headers of its refusals, beside those that a refusal has anyway. */
  headers?: Readonly<Record<string, string>>;
}

interface Found {
  served: Served;
  params: Call['params'];
}

/** Serves the endpoints, and refuses every other request: 405 with the allowed methods, 404, or 400 for an undecodable path. */
export function requestListener(deps: RouteDeps, endpoints: readonly Endpoint[]): RequestListener {
  deps.metrics.expect('endpoint', ['unknown', ...new Set(endpoints.map(({ path }) => path))]);
  const servedAt = finder(endpoints);
  const addressOf = callerAddress(deps.trustProxy ?? []);
  return (request, response) => {
    const exchange = { request, response, addressOf };
    serve(deps, servedAt(request), exchange)
      // Only a fault of the code comes here: that of an endpoint is answered before.
      .catch((error: unknown) => serve(deps, nowhere(refusing(publicError(error))), exchange))
      .catch(() => response.destroy());
  };
}

function finder(endpoints: readonly Endpoint[]): (request: IncomingMessage) => Found {
  const find = router(endpoints);
  return ({ method: sent = '', url = '' }) => {
    const method = sent === 'HEAD' ? 'GET' : sent;
    try {
      const found = find(method, targetOf(url).path);
      if (!found) return nowhere(refusing(noSuchPath()));
      return 'route' in found ? { served: found.route, params: found.params } : nowhere(otherMethod(found.others));
    } catch (error) {
      const malformed = error instanceof URIError;
      return nowhere(
        refusing(malformed ? new BrokerError('invalid_request', 'The path cannot be decoded.') : publicError(error)),
      );
    }
  };
}

/** No parameter of a path is known where no endpoint has it. */
const nowhere = (served: Served): Found => ({ served, params: {} });
const noSuchPath = () => new BrokerError('not_found', 'There is nothing under that path.');

const refusing = (refusal: BrokerError): Served => ({
  path: 'unknown',
  refusals: 'problem',
  handle: () => Promise.reject(refusal),
});

function otherMethod(routes: readonly [Endpoint, ...Endpoint[]]): Served {
  const [{ path, refusals }] = routes;
  const allowed = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  const refusal = new BrokerError('method_not_allowed', `This path takes ${allowed}.`);
  return { ...refusing(refusal), path, refusals, headers: { Allow: allowed } };
}

/** Splits the target of a request. Its origin may stand in front (RFC 9112, section 3.2.2), and a query may contain question marks. */
function targetOf(url: string): { path: string; query: string } {
  const target = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  addressOf: AddressOf;
}

async function serve(deps: RouteDeps, { served, params }: Found, exchange: Exchange): Promise<void> {
  const from = performance.now();
  const { metrics, requests, issuer, polled = false } = deps;
  const { path, refusals, headers, bodyBytes, handle } = served;
  const { request, response } = exchange;
  const call = callOf(exchange, params);
  let error: BrokerError | undefined;
  try {
    if (bodyBytes !== undefined) call.body = await readBody(request, bodyBytes);
    const answer = await handle(call);
    error = answer.refusal;
    await write(response, call, answer);
  } catch (thrown) {
    error = publicError(thrown);
    const refusal = refusalOf(error, call, { format: refusals, issuer });
    await write(response, call, headers ? { ...refusal, headers: { ...headers, ...refusal.headers } } : refusal);
  }
  if (error) metrics.refused(error.code, path);
  const { statusCode: status } = response;
  const { method = '' } = request;
  const { requestId, address, noted } = call;
  const seconds = (performance.now() - from) / 1000;
  metrics.httpTook(path, status, seconds);
  requests.write({ requestId, address, endpoint: path, method, status, seconds, noted, error, polled });
}

function callOf({ request, addressOf }: Exchange, params: Call['params']): Call {
  const { method = '', headers, url = '' } = request;
  const { path, query } = targetOf(url);
  const requestId = requestIdOf(headers['x-request-id']);
  const call: Call = { requestId, method, path, params, query, headers, body: NO_BODY, noted: {} };
  const address = addressOf(request);
  if (address !== undefined) call.address = address;
  noteTask(call, params['id']);
  return call;
}

const NO_BODY = Buffer.alloc(0);

/** What matters for an API, whose responses are no pages, frames or scripts, and which only its callers may keep. */
const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none';frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
};

async function write(response: ServerResponse, call: Call, answer: Answer): Promise<void> {
  const { status, headers, cookies = [], body, endless } = answer;
  if (response.headersSent) {
    response.destroy(); // An answer that broke off must not look complete.
    return;
  }
  const head = headOf(call, headers);
  for (const cookie of cookies) head.push('Set-Cookie', cookie);
  if (typeof body === 'object' && Symbol.asyncIterator in body) {
    response.writeHead(status, head);
    // HEAD asks for nothing of it, and what is written would go nowhere.
    const lines = response.req.method === 'HEAD' ? [] : body;
    await pipeline(Readable.from(lines), response, endless ? { signal: endless.cut } : {}).catch((cause: unknown) => {
      if (!endless) call.noted.trouble = new Error('the answer broke off', { cause });
    });
    return;
  }
  const text = typeof body === 'object' ? JSON.stringify(body) : (body ?? '');
  if (typeof body === 'object' && headers?.['Content-Type'] === undefined)
    head.push('Content-Type', 'application/json; charset=utf-8');
  // RFC 9110, section 8.6: 204 has no length.
  if (status !== 204) head.push('Content-Length', Buffer.byteLength(text));
  response.writeHead(status, head).end(text);
}

/**
 * Returns the names and values of headers, one after the other: Node takes such a list as it is. What an answer says replaces
 * what all answers say.
 */
function headOf({ requestId }: Call, own: Answer['headers']): OutgoingHttpHeader[] {
  const head: OutgoingHttpHeader[] = own ? listOf({ ...HEADERS, ...own }) : EVERY.slice();
  head.push('X-Request-ID', requestId);
  return head;
}

const listOf = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flat();
const EVERY = listOf(HEADERS);
