/** An entry read back from its line. */
import type { AuditEvent } from './event.js';

export interface AuditEntry extends AuditEvent {
  /** The number of its line. */
  seq: number;
}

/** Our own line. Another version may have written fields and types that this one does not know. */
export const parseEntry = (line: string): AuditEntry => JSON.parse(line) as AuditEntry;

/** Of a line that need not be parsed otherwise (audit/chain.ts says how each begins). */
export const seqOf = (line: string): number => Number(/^\{"seq":(\d+),/.exec(line)?.[1]);
