/** One endpoint under Express: reads the request, calls the endpoint, writes its answer or its refusal, counts and logs. */
import type { Request, RequestHandler, Response } from 'express';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { BrokerError } from '../domain/errors.js';
import type { Logger } from '../telemetry/log.js';
import { requestLogger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { readBody } from './body.js';
import type { Answer, Call, Endpoint } from './endpoint.js';
import { publicError, refusalOf } from './refusal.js';
import { requestIdOf } from './request-id.js';

export interface ServeDeps {
  metrics: Pick<Metrics, 'timeHttp' | 'refused'>;
  log: Logger;
  issuer: string;
}

interface Served extends Pick<Endpoint, 'path' | 'refusals' | 'handle'> {
  /** Added to whatever is answered. */
  headers?: Record<string, string>;
}

export const serve =
  (deps: ServeDeps, { path, refusals, headers, handle }: Served): RequestHandler =>
  async (request, response) => {
    const stop = deps.metrics.timeHttp(path);
    const call = callOf(deps, request);
    if (headers) response.set(headers);
    try {
      call.body = await readBody(request, response);
      await write(response, call, await handle(call));
    } catch (error) {
      const refusal = publicError(error);
      report(deps, call, path, refusal);
      await write(response, call, refusalOf(refusal, call, { format: refusals, issuer: deps.issuer }));
    }
    stop(response.statusCode);
  };

function callOf({ log }: ServeDeps, request: Request): Call {
  const requestId = requestIdOf(request.get('x-request-id'));
  const [, query = ''] = request.url.split('?', 2);
  return {
    requestId,
    // What a wildcard takes arrives in pieces.
    params: Object.fromEntries(Object.entries(request.params).map(([name, value]) => [name, [value].flat().join('/')])),
    query: new URLSearchParams(query),
    headers: request.headers,
    body: Buffer.alloc(0),
    get log() {
      return requestLogger(log, requestId); // Most calls have nothing to say.
    },
  };
}

/** Bugs and outages are errors in the log; a refusal is what a broker is for. */
function report({ metrics }: ServeDeps, { log }: Call, endpoint: string, error: BrokerError): void {
  metrics.refused(error.code, endpoint);
  if (error.code === 'server_error') log.error({ err: error, endpoint }, 'failed');
  else if (error.code === 'temporarily_unavailable') log.warn({ err: error, endpoint }, 'unavailable');
  else log.debug({ err: error, endpoint }, 'refused');
}

async function write(response: Response, { requestId, log }: Call, { status, headers, body }: Answer): Promise<void> {
  if (response.headersSent) {
    response.destroy(); // An answer that broke off must not look whole.
    return;
  }
  response.status(status);
  response.set({ 'X-Request-ID': requestId, 'Cache-Control': 'no-store', ...headers });
  if (body === undefined) response.end();
  else if (typeof body === 'string') response.end(body);
  else if (Symbol.asyncIterator in body) {
    await pipeline(Readable.from(body), response).catch((err: unknown) => log.warn({ err }, 'an answer broke off'));
  } else {
    if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.end(JSON.stringify(body));
  }
}
