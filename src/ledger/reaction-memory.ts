/** What is remembered of one reaction and one subject: who has reported it, and for which signal the reaction was done last. */
import { z } from 'zod';
import { moment } from '../domain/schemas.js';
import type { Cause } from '../domain/selector.js';
import { record } from '../store/record.js';
import { reactionKey } from './keys.js';
import type { Ledger } from './ledger.js';

/** Bounds the record: sources are few, and the latest report of each counts. */
export const REPORTS_MOST = 16;

/** A signal that has claimed a reaction, and when. What came of it stands in the record of that signal. */
const claimSchema = z.strictObject({ signal: z.string(), at: moment });

export type Claim = z.infer<typeof claimSchema>;

/** Fields of other versions are ignored: the record is gone within hours, and a reaction must not fail on it. */
const memorySchema = z.object({
  reports: z
    .array(z.strictObject({ source: z.string(), at: moment }))
    .max(REPORTS_MOST)
    .default([]),
  /** The reaction was carried out, or is about to be. */
  done: claimSchema.optional(),
  /** A person was asked. */
  asked: claimSchema.optional(),
});

export const NO_MEMORY: z.infer<typeof memorySchema> = { reports: [] };

/** Returns the records of one reaction, by subject. Each expires when it was not written for `keptMs`. */
export const memoriesOf = ({ clock }: Ledger, reaction: string, keptMs: number) =>
  record(memorySchema, (cause: Cause) => reactionKey(reaction, cause), {
    expiresAt: () => clock.unchecked() + keptMs,
    renamed: { words: 'reports' },
  });
