/**
 * JSON from strangers. `JSON.parse` silently keeps the last of two fields with one name, while a person or a gateway that
 * reviews the text may read the first: such a text means two things, and is refused.
 */

/**
 * Returns the value, or what is wrong with the text: `malformed` is no JSON, `repeated` has an object with a name twice. The
 * error of the parser is not passed on, because it quotes the text, which may be a secret.
 */
export function parseStrictJson(text: string): { value: unknown } | 'malformed' | 'repeated' {
  try {
    const value: unknown = JSON.parse(text);
    return countFields(value) === countNames(text) ? { value } : 'repeated';
  } catch {
    return 'malformed';
  }
}

/** Counts the fields that the parser kept. Without recursion: 64 KiB of brackets nest deeper than the stack. */
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

/** Counts the names that were written. In a text that is JSON, a string before a colon is a name. */
function countNames(text: string): number {
  let names = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon !== undefined) names += 1;
  return names;
}
