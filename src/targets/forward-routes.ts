/**
 * What a gateway's request to an API needs: the table of the target maps method and path to access. Gateways, proxies and servers
 * undo percent signs, dots and double slashes each in their own way, so a path that could be read in two ways is in no table.
 */
import { pathProblem } from '../domain/access.js';
import { accessFromScope } from './requested-access.js';

interface Route {
  method: string;
  /** Literal segments, and `{name}` for exactly one of any. */
  segments: readonly string[];
  /** `<path>:<action>`, with the names of the segments. */
  access: string;
}

const METHOD = /^[A-Z]{1,16}$/;
const PLACE = /^\{([a-z][a-z0-9]{0,31})\}$/i;

/** Returns the route, or what is wrong with it as the end of a sentence. */
export function routeOf(match: string, access: string): Route | string {
  const [method = '', path = '', ...rest] = match.split(' ');
  if (!METHOD.test(method) || rest.length > 0) return 'must read <METHOD> <path>, such as GET /incidents/{id}';
  const segments = segmentsOf(path.replaceAll(/\{[^/{}]*\}/g, 'x'));
  if (!segments) return 'must have a path of plain segments, such as /incidents/{id}';
  const own = path.slice(1).split('/');
  if (own.some((one) => /[{}]/.test(one) && !PLACE.test(one))) return 'must have a name in braces as a whole segment';
  const route = { method, segments: path === '/' ? [] : own, access };
  const problem = accessProblem(route);
  return problem ?? route;
}

function accessProblem({ segments, access }: Route): string | undefined {
  const places = new Set(segments.filter((segment) => PLACE.test(segment)));
  const unknown = [...access.matchAll(/\{[^{}]*\}/g)].find(([place]) => !places.has(place));
  if (unknown) return `has no ${unknown[0]} in its path`;
  try {
    const [only, ...more] = accessFromScope(access.replaceAll(/\{[^{}]*\}/g, 'x'));
    return only && more.length === 0 && !only.path.includes('*') ? undefined : 'must grant one action on one path';
  } catch (error) {
    return error instanceof Error ? error.message : 'has no access';
  }
}

/**
 * Returns the access that the request needs, by the first route that fits; undefined if none does, or if the path could be read in two
 * ways. A query string is not looked at.
 * @param uri As the client wrote it: a path, perhaps with a query string.
 */
export function accessOfRequest(
  routes: readonly Route[],
  method: string,
  uri: string,
): { path: string; action: string } | undefined {
  const [path = '', query = ''] = uri.split(/\?(.*)/s, 2);
  const sent = segmentsOf(path);
  if (!sent || !/^[\x21-\x7e]*$/.test(query) || query.includes('#')) return undefined;
  const route = routes.find((one) => one.method === method && fits(one.segments, sent));
  return route && accessBy(route, sent);
}

/** Returns the segments of an absolute path that can be read in one way only. */
function segmentsOf(path: string): string[] | undefined {
  if (path === '/') return [];
  if (!path.startsWith('/') || path.includes('*')) return undefined;
  return pathProblem(path.slice(1)) === undefined ? path.slice(1).split('/') : undefined;
}

const fits = (segments: readonly string[], sent: readonly string[]): boolean =>
  segments.length === sent.length && segments.every((one, place) => PLACE.test(one) || one === sent[place]);

function accessBy({ segments, access }: Route, sent: readonly string[]): { path: string; action: string } | undefined {
  const values = new Map(segments.map((segment, place) => [segment, sent[place] ?? '']));
  const colon = access.lastIndexOf(':');
  const path = access.slice(0, colon).replaceAll(/\{[^{}]*\}/g, (place) => values.get(place) ?? '');
  return pathProblem(path) === undefined ? { path, action: access.slice(colon + 1) } : undefined;
}
