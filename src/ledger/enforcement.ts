/**
 * Who tells a target of deaths, and what it has been told: one record a target, changed by compare-and-set. One broker at a
 * time holds it; each new holder has a higher fence. What lives is decided by the log alone; this says how far a target knows.
 */
import { z } from 'zod';
import { moment, natural } from '../domain/schemas.js';
import { cause } from '../domain/selector.js';
import { record } from '../store/record.js';
import { updateRecord } from './change-record.js';
import { enforcementKey } from './keys.js';
import type { Ledger } from './ledger.js';

const enforcementSchema = z.strictObject({
  revision: natural,
  /** Of the revocation log that all of this is about. */
  generation: z.string(),
  holder: z.string(),
  fence: z.int().positive(),
  heldUntil: moment,
  /** Whatever was issued before `at` is dead there: covers everything born before `seq`, and before this generation. */
  cutoff: z.strictObject({ seq: natural, at: moment }).optional(),
  /** What was written at `at` holds every death up to `seq`; the oldest first. */
  marks: z.array(z.strictObject({ seq: natural, at: moment })),
  writtenAt: moment.optional(),
  /** How many credentials of it may live, dead or not, when it was looked at last. */
  unspent: natural.default(0),
  /** Since when the target has not taken what it should be told. */
  failingSince: moment.optional(),
});

export type Enforcement = z.infer<typeof enforcementSchema>;

const enforcements = record(enforcementSchema, (target: string) => enforcementKey(cause('target', target)));

export const { read: readEnforcement, write: writeEnforcement } = enforcements;

/** `change` returns undefined when there is nothing to do. Returns null for a target that no broker has held yet. */
export const changeEnforcement = (
  ledger: Ledger,
  target: string,
  change: (state: Enforcement) => Partial<Enforcement> | undefined,
): Promise<Enforcement | null> =>
  updateRecord(ledger, enforcements, target, (state) => {
    const changed = change(state);
    return changed && { ...state, ...changed };
  });
