/** How a publication becomes an entry of the log, and how many entries a log keeps. */
import { defined } from '../domain/defined.js';
import { SEQ, type LogEntry, type Publication } from '../domain/tombstone.js';

/** Followers further behind than this start again from a snapshot (LogGap). */
export const ENTRIES_KEPT = 100_000;

export function entryOf(publication: Publication, seq: number, before: string | undefined): LogEntry {
  return defined({ ...publication, seq, before });
}

/** The tombstone that `join` wrote, with the number that the store has now assigned. */
export const numbered = (joined: string, seq: number): string => joined.replaceAll(SEQ, String(seq));

/** An entry as it was stored, always by `JSON.stringify` of one. */
export const parseEntry = (text: string): LogEntry => JSON.parse(text) as LogEntry;
