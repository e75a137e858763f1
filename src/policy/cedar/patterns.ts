/**
 * The parts of a pattern. Policies can tell paths apart only by the paths they name and by labels; a pattern is cut along all of
 * these, and each part is asked for by itself. Then a pattern is permitted only if every path under it would be.
 */

/** More parts than this and the pattern is refused: one request must not occupy the engine for long. */
const PARTS_MAX = 128;

/** The pattern and what remains of it within each combination of the cuts, or undefined when that is too much. */
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

/** The pattern that names exactly what both name; there always is one, unless nothing is named by both. */
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
