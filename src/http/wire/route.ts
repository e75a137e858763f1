/** Endpoints under Express: reads the request, calls the endpoint, writes the answer or the refusal, counts and logs. */
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import { BrokerError } from '../../domain/errors.js';
import { HARD_LIMITS } from '../../domain/limits.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { RequestLog } from '../../telemetry/request-log.js';
import { bodyReader } from './body.js';
import type { Answer, Call, Endpoint, Handle } from './endpoint.js';
import { requestIdOf } from './fields.js';
import { noteTask, traceOf } from './noted.js';
import { publicError, refusalOf } from './refusal.js';

interface RouteDeps {
  metrics: Pick<Metrics, 'expect' | 'timeHttp' | 'refused'>;
  requests: Pick<RequestLog, 'write'>;
  issuer: string;
  /** Whether machines ask these endpoints every few seconds. Default: no. */
  polled?: boolean;
}

/** Mounts the endpoints, and refuses every other request: 405 with the allowed methods, 404, or 400 for an undecodable path. */
export function mount(app: Express, deps: RouteDeps, endpoints: readonly Endpoint[]): Express {
  deps.metrics.expect('endpoint', ['unknown', ...new Set(endpoints.map(({ path }) => path))]);
  app.use(refuseLongPath(deps));
  for (const endpoint of endpoints) app.route(endpoint.path)[methodOf(endpoint)](serve(deps, endpoint));
  // This comes after all endpoints, because a path may take several methods.
  for (const { path, refusals } of endpoints) {
    const allowed = methodsOf(endpoints.filter((endpoint) => endpoint.path === path));
    app.all(path, serve(deps, { path, refusals, headers: { Allow: allowed }, handle: otherMethod(allowed) }));
  }
  app.use(serve(deps, { path: 'unknown', refusals: 'problem', handle: noSuchPath }));
  app.use(brokenBeforeAnyEndpoint(deps));
  return app;
}

function methodOf({ method }: Endpoint) {
  return ({ GET: 'get', POST: 'post', DELETE: 'delete' } as const)[method];
}

const methodsOf = (endpoints: readonly Endpoint[]): string =>
  endpoints.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');

const otherMethod =
  (allowed: string): Handle =>
  () =>
    Promise.reject(new BrokerError('method_not_allowed', `This path takes ${allowed}.`));

/** A wildcard takes any number of parts, and each is decoded before its endpoint could ask who calls. */
function refuseLongPath(deps: RouteDeps): RequestHandler {
  const refuse = serve(deps, { path: 'unknown', refusals: 'problem', handle: noSuchPath });
  const most = HARD_LIMITS.urlParts;
  return (request, response, next) =>
    request.path.split('/', most + 2).length > most + 1 ? refuse(request, response, next) : next();
}

const noSuchPath: Handle = () => Promise.reject(new BrokerError('not_found', 'There is nothing under that path.'));

/** Express itself fails only on a path that it cannot decode. It recognises an error handler by the four parameters. */
const brokenBeforeAnyEndpoint =
  (deps: RouteDeps): ErrorRequestHandler =>
  (error: unknown, request, response, next) => {
    const malformed = error instanceof URIError;
    const refusal = malformed ? new BrokerError('invalid_request', 'The path cannot be decoded.') : publicError(error);
    const handle: Handle = () => Promise.reject(refusal);
    return serve(deps, { path: 'unknown', refusals: 'problem', handle })(request, response, next);
  };

interface Served extends Pick<Endpoint, 'path' | 'refusals' | 'handle'> {
  /** Without it no body is read, because whatever was sent is refused. */
  bodyBytes?: number;
  /** Headers of every response, refusals included. */
  headers?: Record<string, string>;
}

function serve(deps: RouteDeps, { path, refusals, headers, bodyBytes, handle }: Served): RequestHandler {
  const readBody = bodyBytes === undefined ? undefined : bodyReader(bodyBytes);
  return async (request, response) => {
    const { metrics, requests, issuer, polled = false } = deps;
    const stop = metrics.timeHttp(path);
    const call = callOf(request);
    let error: BrokerError | undefined;
    if (headers) response.set(headers);
    try {
      if (readBody) call.body = await readBody(request, response);
      await write(response, call, await handle(call));
    } catch (thrown) {
      error = publicError(thrown);
      metrics.refused(error.code, path);
      await write(response, call, refusalOf(error, call, { format: refusals, issuer }));
    }
    const { statusCode: status } = response;
    const { method } = request;
    const { noted } = call;
    const seconds = stop(status);
    requests.write({ ...traceOf(call), endpoint: path, method, status, seconds, noted, error, polled });
  };
}

function callOf(request: Request): Call {
  const requestId = requestIdOf(request.get('x-request-id'));
  // A query may contain question marks (RFC 3986, section 3.4): it begins behind the first.
  const query = /\?(.*)/.exec(request.url)?.[1] ?? '';
  const call: Call = {
    requestId,
    ...addressOf(request),
    params: paramsOf(request),
    query,
    headers: request.headers,
    body: Buffer.alloc(0),
    noted: {},
  };
  noteTask(call, call.params['id']);
  return call;
}

/** A proxy may write anything into the header that it is believed; what is no address is none. */
function addressOf({ ip = '' }: Request): Pick<Call, 'address'> {
  // An IPv4 address, as a socket for both families has it. A zone (`fe80::1%eth0`) means nothing elsewhere, and may be of any length.
  const address = ip.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*/s, '');
  return isIP(address) === 0 ? {} : { address };
}

/** Express hands over the value of a wildcard in pieces. */
function paramsOf({ params }: Request): Call['params'] {
  const found: Record<string, string> = {};
  for (const name in params) found[name] = [params[name] ?? ''].flat().join('/');
  return found;
}

async function write(response: Response, call: Call, { status, headers, body, endless }: Answer): Promise<void> {
  if (response.headersSent) {
    response.destroy(); // An answer that broke off must not look complete.
    return;
  }
  response.statusCode = status;
  response.setHeader('X-Request-ID', call.requestId);
  response.setHeader('Cache-Control', 'no-store');
  for (const name in headers) response.setHeader(name, headers[name] ?? '');
  if (body === undefined) response.end();
  else if (typeof body === 'string') response.end(body);
  else if (Symbol.asyncIterator in body) {
    // HEAD asks for nothing of it, and what is written would go nowhere.
    const lines = response.req.method === 'HEAD' ? [] : body;
    await pipeline(Readable.from(lines), response, endless ? { signal: endless.cut } : {}).catch((cause: unknown) => {
      if (!endless) call.noted.trouble = new Error('the answer broke off', { cause });
    });
  } else {
    if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.end(JSON.stringify(body));
  }
}
