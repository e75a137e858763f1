/**
 * The hash chain. A line is one exact JSON text that names its number and the hash of the line before; the hash of the
 * last line therefore vouches for all of them. Pure.
 */
import { z } from 'zod';
import { sha256 } from '../domain/digest.js';
import { withoutTokens } from '../domain/token-in-text.js';
import { auditEventSchema, type AuditEvent } from './event.js';

/** A place in the chain: the number of a line and the SHA-256 (base64url) of its bytes. */
export const placeSchema = z.strictObject({ seq: z.int().nonnegative(), hash: z.string() });
export type Place = z.infer<typeof placeSchema>;

/** Before the first line. */
export const GENESIS: Place = { seq: 0, hash: '' };

/** An entry on its way into the chain: the text of its line without number and predecessor. */
export type EntryText = string;

/** Throws on a field or value that is not in the schema. Tokens that somebody pasted into free text do not get through. */
export function entryText(event: AuditEvent): EntryText {
  // On the whole text rather than field by field: the pattern needs no character that JSON escapes, so nothing escapes it.
  return withoutTokens(JSON.stringify(auditEventSchema.parse(event)));
}

/** The lines that continue the chain after `place`, and where it then ends. */
export function extendChain(place: Place, entries: readonly EntryText[]): { lines: string[]; end: Place } {
  let { seq, hash } = place;
  const lines = entries.map((entry) => {
    seq += 1;
    const line = `{"seq":${seq},"prev":"${hash}",${entry.slice(1)}`;
    hash = hashOf(line);
    return line;
  });
  return { lines, end: { seq, hash } };
}

export const hashOf = (line: string | Uint8Array): string => sha256(line);
