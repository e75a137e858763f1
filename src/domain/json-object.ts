import { parseJson } from './strict-json.js';

/** A JSON object from outside, whose members are unknown. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses a document from a file or another server. */
export function readDocument(text: string): JsonObject {
  const object = readObject(withoutMark(text));
  if (object === undefined) throw new Error('the document is not a JSON object');
  return object;
}

/** Returns undefined for a text that is no JSON object, or one that nests too deep. */
export function readObject(text: string): JsonObject | undefined {
  const json = parseJson(text);
  return typeof json !== 'string' && isObject(json.value) ? json.value : undefined;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Returns the text without a byte order mark, which editors and servers of Windows put before JSON (RFC 8259 §8.1). */
export const withoutMark = (text: string): string => text.replace(/^\uFEFF/, '');
