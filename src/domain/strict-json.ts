/**
 * JSON from strangers. Its depth and the number of its values are counted before anything reads them: what a text costs
 * follows from what it may mean, and no code behind this needs a stack as deep as a stranger likes.
 */
import { HARD_LIMITS } from './limits.js';

interface Shape {
  /** How many values it has at most; undefined where the number of bytes bounds them well enough. */
  valuesMost?: number;
}

/** What is wrong with a text. The error of the parser is never passed on, because it quotes the text, which may be a secret. */
export type JsonProblem = 'malformed' | 'too deep' | 'too many' | 'repeated';

/** Returns the value, or what is wrong. Of two fields with one name the last counts, as `JSON.parse` has it. */
export function parseJson(text: string, shape: Shape = {}): { value: unknown; names: number } | JsonProblem {
  const names = countNames(text, shape);
  if (typeof names === 'string') return names;
  try {
    const value: unknown = JSON.parse(text);
    return { value, names };
  } catch {
    return 'malformed';
  }
}

/**
 * Returns the value, or what is wrong; `repeated` has an object with a name twice. `JSON.parse` silently keeps the last of two
 * such fields, while a person or a gateway that reviews the text may read the first: the text means two things.
 */
export function parseStrictJson(
  text: string,
  valuesMost: number = HARD_LIMITS.jsonValues,
): { value: unknown } | JsonProblem {
  const parsed = parseJson(text, { valuesMost });
  if (typeof parsed === 'string') return parsed;
  return countFields(parsed.value) === parsed.names ? { value: parsed.value } : 'repeated';
}

/** Returns how many names of fields are written in a text that is JSON, or which bound the text exceeds. */
function countNames(text: string, { valuesMost = Infinity }: Shape): number | 'too deep' | 'too many' {
  let [depth, values, names] = [0, 0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === ':') names += 1;
    else if (character === ']' || character === '}') depth -= 1;
    else if (character === '[' || character === '{' || character === ',') values += 1;
    if (character === '[' || character === '{') depth += 1;
    if (depth > HARD_LIMITS.jsonDepth) return 'too deep';
    if (values > valuesMost) return 'too many';
  }
  return names;
}

/** Returns the place of the quotation mark that ends the string. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

/** Counts the fields that the parser kept. */
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
