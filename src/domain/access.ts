/**
 * Access: resource paths, actions, and which pattern covers which. `*` stands for exactly one segment, `**` (last only) for
 * one or more. Patterns are compared segment by segment: no regular expression is ever built from input.
 */
import { HARD_LIMITS } from './limits.js';
import { holdsToken } from './token-in-text.js';

const SEGMENT = /^[A-Za-z0-9._~@+=,:-]+$/;
const ACTION = /^[A-Za-z][A-Za-z0-9._:-]{0,63}$/;

/** Some actions on one path pattern of one target. */
export interface Access {
  path: string;
  actions: string[];
}

export interface TargetAccess extends Access {
  target: string;
}

/** One action on one path: policy answers one question for each pair. */
interface Pair {
  path: string;
  action: string;
}

/** Returns what is wrong with a path, as the end of a sentence ("A resource path …"), or undefined if nothing is. */
export function pathProblem(path: string): string | undefined {
  if (path.length > HARD_LIMITS.pathCharacters) return `is longer than ${HARD_LIMITS.pathCharacters} characters`;
  const segments = path.split('/');
  if (segments.length > HARD_LIMITS.pathSegments) return `has more than ${HARD_LIMITS.pathSegments} segments`;
  for (const segment of segments) {
    if (segment === '') return 'has an empty segment';
    if (segment === '.' || segment === '..') return 'has a "." or ".." segment';
    if (segment.includes('*')) continue; // See wildcardProblem.
    if (!SEGMENT.test(segment)) return 'has a character outside A-Z a-z 0-9 . _ ~ @ + = , : -';
  }
  // The audit log prints what was granted as it is.
  return holdsToken(path) ? 'has a token in it' : wildcardProblem(path);
}

/** Returns what is wrong with the wildcards of a pattern, as the end of a sentence, or undefined if nothing is. */
export function wildcardProblem(pattern: string): string | undefined {
  const segments = pattern.split('/');
  if (segments.slice(0, -1).includes('**')) return 'has "**" before its end';
  const isMixed = (segment: string): boolean => segment.includes('*') && !/^\*\*?$/.test(segment);
  return segments.some(isMixed)
    ? 'has a "*" beside other characters: "*" stands for one whole segment, "**" at the end for one or more'
    : undefined;
}

export const isAction = (text: string): boolean => ACTION.test(text);

export const isPattern = (path: string): boolean =>
  path.split('/').some((segment) => segment === '*' || segment === '**');

/** Returns whether pattern `a` covers pattern `b`: every path that `b` matches is matched by `a` too. */
export function covers(a: string, b: string): boolean {
  const left = a.split('/');
  const right = b.split('/');
  for (const [index, segment] of left.entries()) {
    const other = right[index];
    if (other === undefined) return false;
    if (segment === '**') return true;
    if (other === '**') return false;
    if (segment !== '*' && segment !== other) return false;
  }
  return left.length === right.length;
}

/** Returns whether the two patterns have a path in common. */
export function overlaps(a: string, b: string): boolean {
  const left = a.split('/');
  const right = b.split('/');
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const one = left[index];
    const other = right[index];
    if (one === undefined || other === undefined) return false;
    if (one === '**' || other === '**') return true;
    if (one !== '*' && other !== '*' && one !== other) return false;
  }
  return true;
}

/** Returns the words of all labels that touch something: sorted, each once. */
export const sensitivityOf = (
  labels: readonly { match: string; sensitivity: readonly string[] }[],
  touches: (match: string) => boolean,
): string[] => [...new Set(labels.flatMap(({ match, sensitivity }) => (touches(match) ? sensitivity : [])))].sort();

/** Returns whether every requested pair is covered by one entry of the ceiling for the same target. */
export const isWithin = (ceiling: readonly TargetAccess[], target: string, asked: readonly Access[]): boolean =>
  pairsOf(asked).every(({ path, action }) =>
    ceiling.some((entry) => entry.target === target && entry.actions.includes(action) && covers(entry.path, path)),
  );

export function pairsOf(access: readonly Access[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { path, actions } of access) {
    for (const action of actions) pairs.set(`${path} ${action}`, { path, action });
  }
  return [...pairs.values()];
}

/** Returns the union with one entry for each path. Paths and actions keep the order in which they first appear. */
export function normalise(access: readonly Access[]): Access[] {
  const byPath = new Map<string, Set<string>>();
  for (const { path, action } of pairsOf(access)) {
    byPath.set(path, (byPath.get(path) ?? new Set()).add(action));
  }
  return [...byPath].map(([path, actions]) => ({ path, actions: [...actions] }));
}
