/** Finds the endpoint of a path. A path can be written in one way only: its case counts, and so does a slash at its end. */
import { match, type MatchFunction } from 'path-to-regexp';
import { HARD_LIMITS } from '../../domain/limits.js';

interface Route {
  method: string;
  /** `/tasks/:id`: one part of a path. `/signals/mutes/*source`: any number of them. */
  path: string;
}

type Params = Readonly<Record<string, string>>;

interface Found<R> {
  /** The endpoints of the path, in the order of the table: never empty. */
  routes: readonly R[];
  params: Params;
}

/**
 * Returns the function that finds the routes of a path: the first ones that take the method, otherwise the first ones of that
 * path, otherwise undefined. A path without parameters comes before a pattern that it fits. The function throws URIError on
 * a parameter that cannot be decoded.
 */
export function router<R extends Route>(table: readonly R[]): (method: string, path: string) => Found<R> | undefined {
  const fixed = new Map<string, R[]>();
  const patterns: { match: MatchFunction<Partial<Record<string, string | string[]>>>; routes: R[] }[] = [];
  for (const [path, routes] of byPath(table)) {
    if (/[:*]/.test(path)) patterns.push({ match: match(path, { sensitive: true, trailing: false }), routes });
    else fixed.set(path, routes);
  }

  function* fitting(path: string): Generator<Found<R>> {
    const routes = fixed.get(path);
    if (routes) yield { routes, params: {} };
    if (isLong(path)) return;
    for (const pattern of patterns) {
      const matched = pattern.match(path);
      if (matched) yield { routes: pattern.routes, params: joined(matched.params) };
    }
  }

  return (method, path) => {
    let first: Found<R> | undefined;
    for (const found of fitting(path)) {
      if (found.routes.some((route) => route.method === method)) return found;
      first ??= found;
    }
    return first;
  };
}

function byPath<R extends Route>(table: readonly R[]): Map<string, R[]> {
  const paths = new Map<string, R[]>();
  for (const route of table) paths.set(route.path, [...(paths.get(route.path) ?? []), route]);
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
