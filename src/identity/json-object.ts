/** JSON from outside: an object whose members are unknown. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A document from a file or another server. The parser's own message would quote it. */
export function readDocument(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new Error('the document is not a JSON object');
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
