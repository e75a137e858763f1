/**
 * Cuts a pattern into parts. Policies can distinguish paths only by the paths that they name and by labels. A pattern is cut along
 * all of these, and each part is decided by itself, so a pattern is permitted only if every path under it would be.
 */

/** A pattern with more parts is refused, so that one request cannot occupy the engine for long. */
const PARTS_MAX = 128;

/** Returns the pattern itself and its intersection with each combination of the cuts; undefined when there are too many. */
export function partsOf(pattern: string, cuts: readonly string[]): string[] | undefined {
  const parts = new Set([pattern]);
  for (const cut of cuts) {
    for (const part of [...parts]) {
      const common = meet(part, cut);
      if (common !== undefined) parts.add(common);
    }
    if (parts.size > PARTS_MAX) return undefined;
  }
  return [...parts];
}

/** Returns the pattern that matches exactly the paths that both match; undefined when no path matches both. */
export function meet(a: string, b: string): string | undefined {
  const left = a.split('/');
  const right = b.split('/');
  const common: string[] = [];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const one = left[index];
    const other = right[index];
    if (one === undefined || other === undefined) return undefined;
    if (one === '**') return [...common, ...right.slice(index)].join('/');
    if (other === '**') return [...common, ...left.slice(index)].join('/');
    if (one !== '*' && other !== '*' && one !== other) return undefined;
    common.push(one === '*' ? other : one);
  }
  return common.join('/');
}
