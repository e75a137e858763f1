/** A JSON object from outside, whose members are unknown. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses a document from a file or another server. The parser's own message is dropped, because it quotes the document. */
export function readDocument(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // The error below replaces this one.
  }
  throw new Error('the document is not a JSON object');
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
