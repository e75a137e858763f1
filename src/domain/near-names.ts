/** Names that somebody may have meant. */

/**
 * Returns those of the names that the text becomes by one or two typing mistakes: a character too many, too few, another, or two
 * exchanged. Case is no mistake of its own.
 */
export function nearNames(text: string, names: Iterable<string>): string[] {
  const most = text.length < 4 ? 1 : 2;
  const near = (name: string): boolean =>
    Math.abs(name.length - text.length) <= most && mistakesBetween(text.toLowerCase(), name.toLowerCase()) <= most;
  return [...new Set(names)].filter((name) => name !== text && name.length <= COMPARED_CHARACTERS_MAX && near(name));
}

/** Returns the question to the author of a text that has none of the known names, with a space before it; empty without an answer. */
export const didYouMean = (meant: readonly string[]): string =>
  meant.length === 0 ? '' : ` Did you mean ${meant.slice(0, 3).join(' or ')}?`;

/** The work grows with the square of the length. */
const COMPARED_CHARACTERS_MAX = 256;

/** Returns the distance by optimal string alignment. */
function mistakesBetween(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1] ? 0 : 1;
      const at = (line: number[], place: number): number => line[place] ?? Infinity;
      const exchanged = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      next.push(
        Math.min(
          at(last, column) + 1,
          at(next, column - 1) + 1,
          at(last, column - 1) + same,
          exchanged ? at(beforeLast, column - 2) + 1 : Infinity,
        ),
      );
    }
    [beforeLast, last] = [last, next];
  }
  return last.at(-1) ?? 0;
}

/** Returns a text that two URLs share if they differ only in a slash at the end, in case, or in http and https. */
export const likenessOfUrl = (url: string): string =>
  url
    .toLowerCase()
    .replace(/^http:/, 'https:')
    .replace(/\/$/, '');
