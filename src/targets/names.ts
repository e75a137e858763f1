/** What the configuration of a target gives to clients that were not written for this broker: other names, and what they leave out. */
import type { Access } from '../domain/access.js';
import type { ScopeNames } from './requested-access.js';

/** The part of a configured target that is read here. Not every kind has all of it. */
export interface NamedTarget {
  resource: string;
  audiences?: readonly string[];
  scopes?: ScopeNames;
  defaultAccess?: readonly Access[];
  defaultPurpose?: string;
}

/** Returns the targets by all their names. */
export const targetsByName = <T extends NamedTarget>(targets: readonly T[]): Map<string, T> =>
  new Map(targets.flatMap((target) => [target.resource, ...(target.audiences ?? [])].map((name) => [name, target])));

/** Returns the targets that have every plain name in the scope; none if there is no plain name in it. */
export function targetsWithScopes<T extends NamedTarget>(targets: Iterable<T>, scope: string): T[] {
  const names = scope.split(' ').filter((token) => token !== '' && !token.includes(':'));
  if (names.length === 0) return [];
  return [...new Set(targets)].filter(({ scopes = {} }) => names.every((name) => Object.hasOwn(scopes, name)));
}
