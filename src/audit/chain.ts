/**
 * The hash chain. A line is one exact JSON text with its number and the hash of the line before, so the hash of the last line
 * covers all lines. Pure functions.
 */
import { z } from 'zod';
import { sha256 } from '../domain/digest.js';
import { natural } from '../domain/schemas.js';
import { holdsToken, withoutPlainTokens } from '../domain/token-in-text.js';
import { auditFieldsSchema, eventAsEntered, type AuditEvent } from './event.js';

/** A place in the chain: the number of a line and the SHA-256 (base64url) of its bytes. */
export const placeSchema = z.strictObject({ seq: natural, hash: z.string() });
export type Place = z.infer<typeof placeSchema>;

/** The place before the first line. */
export const GENESIS: Place = { seq: 0, hash: '' };

/** One line, as `extendChain` writes it. */
export const auditLineSchema = z
  .strictObject({
    seq: natural.describe('The number of the line. The first is 1, and none is left out.'),
    prev: z.string().describe('SHA-256 (base64url) of the bytes of the line before; empty on the first line.'),
    ...auditFieldsSchema.shape,
  })
  .meta({ id: 'AuditLine', description: 'One line of the audit log.' });

/** An entry that is not in the chain yet: the text of its line without its number and the hash before. */
export type EntryText = string;

/** Throws on a field or value that is not in the schema. Tokens that somebody pasted into free text are removed. */
export function entryText(event: AuditEvent): EntryText {
  const text = JSON.stringify(eventAsEntered(event));
  // No name and no path holds a whole token, so this changes none. It is for what an older release let in.
  return holdsToken(text) ? withoutPlainTokens(text) : text;
}

/** The beginning of every line, as `extendChain` and `entryText` write it. */
const BEGINNING = /^\{"seq":(\d+),"prev":"[^"]*","type":"([^"]*)"/;

/** Returns the number and the type of a line without parsing the rest of it, or undefined if it is not a line of an audit log. */
export function beginningOf(line: string): { seq: number; type: string } | undefined {
  const [, seq, type] = BEGINNING.exec(line) ?? [];
  return seq === undefined || type === undefined ? undefined : { seq: Number(seq), type };
}

/** Returns the lines that continue the chain after `place`, and the place of the last one. */
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
