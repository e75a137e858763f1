/** Parses a YAML file to plain data, and knows the line of each value. Tags, duplicate keys and many aliases are refused. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import type { ConfigPath } from './problem.js';

/** An alias can repeat a value that holds aliases: without this bound a small file expands to gigabytes. */
const ALIASES_MAX = 64;

interface ConfigDocument {
  value: unknown;
  problems: { line: number; reason: string }[];
  /** Returns the line on which the value begins, or the nearest value around it that exists. */
  lineOf(path: ConfigPath): number;
}

export function readDocument(text: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, resolveKnownTags: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    line: lineAt(error.pos[0]),
    reason: error.message,
  }));
  // A file with a syntax error is not validated further, since its content is a guess. A repeated key does not stop validation.
  const readable = document.errors.every((error) => error.code === 'DUPLICATE_KEY');
  const value = readable ? plain(document, problems) : undefined;
  return { value, problems, lineOf: (path) => lineAt(offsetOf(document, path)) };
}

function plain(document: Document.Parsed, problems: ConfigDocument['problems']): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown;
  } catch (error) {
    problems.push({ line: 1, reason: error instanceof Error ? error.message : 'cannot be read' });
    return undefined;
  }
}

function offsetOf(document: Document.Parsed, path: ConfigPath): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    const [found, next] = descend(node, step);
    if (found === undefined) break;
    offset = found;
    node = next;
  }
  return offset;
}

/** Returns the offset of a key or an item, and the node under it. */
function descend(node: unknown, step: PropertyKey): [number | undefined, unknown] {
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step];
    return [startOf(item), item];
  }
  if (!isMap(node)) return [undefined, undefined];
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  return [startOf(pair?.key), pair?.value];
}

const startOf = (node: unknown): number | undefined =>
  isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
