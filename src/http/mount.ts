/** Puts endpoints under their paths, and answers what is under none: 405 with what is allowed, 404, or a path that cannot be read. */
import type { ErrorRequestHandler, Express } from 'express';
import { BrokerError } from '../domain/errors.js';
import type { Endpoint, Handle } from './endpoint.js';
import { publicError } from './refusal.js';
import { serve, type ServeDeps } from './serve.js';

export function mount(app: Express, deps: ServeDeps, endpoints: readonly Endpoint[]): Express {
  for (const endpoint of endpoints) app.route(endpoint.path)[methodOf(endpoint)](serve(deps, endpoint));
  // After all of them: a path may take several methods.
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

const noSuchPath: Handle = () => Promise.reject(new BrokerError('not_found', 'There is nothing under that path.'));

/** Express itself fails only on a path that cannot be decoded. It takes an error handler by its four parameters. */
const brokenBeforeAnyEndpoint =
  (deps: ServeDeps): ErrorRequestHandler =>
  (error: unknown, request, response, next) => {
    const malformed = error instanceof URIError;
    const refusal = malformed ? new BrokerError('invalid_request', 'The path cannot be decoded.') : publicError(error);
    const handle: Handle = () => Promise.reject(refusal);
    return serve(deps, { path: 'unknown', refusals: 'problem', handle })(request, response, next);
  };
