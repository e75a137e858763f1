/** Which audit entries a webhook asked for: by their first word, their whole type, or, of signals, what became of them. */
import { parseEntry, type AuditEntry } from '../audit/event.js';

/** How each line begins (audit/chain.ts): nearly all are nobody's business, and need not be parsed to see that. */
const BEGINNING = /^\{"seq":\d+,"prev":"[^"]*","type":"(([a-z]+)\.[a-z]+)"/;

export function wantedBy(types: readonly string[]): (line: string) => AuditEntry | undefined {
  const words = new Set(types);
  return (line) => {
    const [, type = '', first = ''] = BEGINNING.exec(line) ?? [];
    if (words.has(type) || words.has(first)) return parseEntry(line);
    if (first !== 'signal') return undefined;
    const entry = parseEntry(line);
    return words.has(`signal.${entry.signal?.state ?? ''}`) ? entry : undefined;
  };
}
