/** JSON that writes a field twice: `JSON.parse` silently keeps the last, while whoever reviews the text may read the first. */

/** @param value What `JSON.parse` made of the text. */
export const repeatsAName = (text: string, value: unknown): boolean => countFields(value) !== countNames(text);

/** Without recursion: 64 KiB of brackets nest deeper than the stack. */
function countFields(value: unknown): number {
  let fields = 0;
  const left = [value];
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    if (typeof one !== 'object' || one === null) continue;
    const within: unknown[] = Object.values(one);
    if (!Array.isArray(one)) fields += within.length;
    left.push(...within);
  }
  return fields;
}

/** In a text that is JSON: a string before a colon is a name. `JSON.parse` itself silently keeps the last of two. */
function countNames(text: string): number {
  let names = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon !== undefined) names += 1;
  return names;
}
