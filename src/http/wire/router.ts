/** Finds the endpoint of a path. A path can be written in one way only: its case counts, and so does a slash at its end. */
import { match, type MatchFunction } from 'path-to-regexp';
import { HARD_LIMITS } from '../../domain/limits.js';

interface Route {
  method: string;
  anyMethod?: true;
  /** `/tasks/:id`: one part of a path. `/signals/mutes/*source`: any number of them. */
  path: string;
}

type Params = Readonly<Record<string, string>>;

/** The endpoint of a request; or, where none of the path takes its method, the endpoints that the path has. */
type Found<R> = { route: R; params: Params } | { others: Routes<R> };

/**
 * Returns the function that finds the route of a path and method; undefined where the path has none. A path without parameters
 * comes before a pattern that it fits. The function throws URIError on a parameter that cannot be decoded.
 */
export function router<R extends Route>(table: readonly R[]): (method: string, path: string) => Found<R> | undefined {
  const fixed = new Map<string, Routes<R>>();
  const patterns: { match: MatchFunction<Partial<Record<string, string | string[]>>>; routes: Routes<R> }[] = [];
  for (const [path, routes] of byPath(table)) {
    if (/[:*]/.test(path)) patterns.push({ match: match(path, { sensitive: true, trailing: false }), routes });
    else fixed.set(path, routes);
  }

  return (method, path) => {
    let others = fixed.get(path);
    const route = routeFor(method, others);
    if (route) return { route, params: NO_PARAMS };
    for (const pattern of isLong(path) ? [] : patterns) {
      const matched = pattern.match(path);
      if (!matched) continue;
      const route = routeFor(method, pattern.routes);
      if (route) return { route, params: joined(matched.params) };
      others ??= pattern.routes;
    }
    return others && { others };
  };
}

type Routes<R> = readonly [R, ...R[]];

const NO_PARAMS: Params = {};
const routeFor = <R extends Route>(method: string, routes: Routes<R> | undefined): R | undefined =>
  routes?.find((route) => route.anyMethod ?? route.method === method);

function byPath<R extends Route>(table: readonly R[]): Map<string, Routes<R>> {
  const paths = new Map<string, Routes<R>>();
  for (const route of table) {
    const before = paths.get(route.path);
    paths.set(route.path, before ? [...before, route] : [route]);
  }
  return paths;
}

/** A wildcard takes any number of parts, and each is decoded before its endpoint could ask who calls. */
const isLong = (path: string): boolean => path.split('/', HARD_LIMITS.urlParts + 2).length > HARD_LIMITS.urlParts + 1;

/** The value of a wildcard comes in pieces. */
function joined(matched: Partial<Record<string, string | string[]>>): Params {
  const params: Record<string, string> = {};
  for (const name in matched) params[name] = [matched[name] ?? ''].flat().join('/');
  return params;
}
