/**
 * Cuts a pattern into parts. Policies can distinguish paths only by the paths that they name and by labels. A pattern is cut along
 * all of these, and each part is decided by itself, so a pattern is permitted only if every path under it would be.
 */

/** A pattern with more parts is refused, because cutting it takes work that grows with the square of their number. */
const PARTS_MAX = 128;

/** Returns the pattern itself and its intersection with each combination of the cuts; undefined when there are too many. */
export function partsOf(pattern: string, cuts: readonly string[]): string[] | undefined {
  // A cut matters only where it meets the pattern. A cut that covers the whole pattern parts nothing.
  const within = new Set(cuts.flatMap((cut) => meet(pattern, cut) ?? []));
  within.delete(pattern);
  if (within.size >= PARTS_MAX) return undefined;
  const parts = new Map([[pattern, pattern.split('/')]]);
  for (const cut of within) {
    const segments = cut.split('/');
    for (const part of [...parts.values()]) {
      const common = meetSegments(part, segments);
      if (common) parts.set(common.join('/'), common);
    }
    if (parts.size > PARTS_MAX) return undefined;
  }
  return [...parts.keys()];
}

/** Returns the pattern that matches exactly the paths that both match; undefined when no path matches both. */
export const meet = (a: string, b: string): string | undefined => meetSegments(a.split('/'), b.split('/'))?.join('/');

function meetSegments(left: readonly string[], right: readonly string[]): string[] | undefined {
  const common: string[] = [];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const one = left[index];
    const other = right[index];
    if (one === undefined || other === undefined) return undefined;
    if (one === '**') return [...common, ...right.slice(index)];
    if (other === '**') return [...common, ...left.slice(index)];
    if (one !== '*' && other !== '*' && one !== other) return undefined;
    common.push(one === '*' ? other : one);
  }
  return common;
}
