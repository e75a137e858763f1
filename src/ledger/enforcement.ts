/**
 * The state of enforcement at a target, one record each: the lease of the broker that pushes denials to it, and how far it
 * has them. Each new holder of the lease raises the fence. What is alive is decided by the log alone, never by this record.
 */
import { z } from 'zod';
import { moment, natural } from '../domain/schemas.js';
import { cause } from '../domain/selector.js';
import { record } from '../store/record.js';
import { enforcementKey } from './keys.js';
import type { Ledger } from './ledger.js';
import { updateRecord } from './retry-on-conflict.js';

const enforcementSchema = z.strictObject({
  revision: natural,
  /** The generation of the revocation log that the sequence numbers below belong to. */
  generation: z.string(),
  holder: z.string(),
  fence: z.int().positive(),
  leasedUntil: moment,
  /** The target denies everything issued before `at`: all that was born before `seq`, or before this generation. */
  cutoff: z.strictObject({ seq: natural, at: moment }).optional(),
  /** The policy that was written at `at` denies everything that died up to `seq`. The oldest first. */
  marks: z.array(z.strictObject({ seq: natural, at: moment })),
  writtenAt: moment.optional(),
  /** How many unexpired credentials the target had, dead or alive, when they were counted last. */
  liveCount: natural.default(0),
  /** Since when pushes to the target have been failing. */
  failingSince: moment.optional(),
});

export type Enforcement = z.infer<typeof enforcementSchema>;

const enforcements = record(enforcementSchema, (target: string) => enforcementKey(cause('target', target)), {
  renamed: { heldUntil: 'leasedUntil', unspent: 'liveCount' },
});

export const { read: readEnforcement, write: writeEnforcement } = enforcements;

/**
 * Changes the record by `change`, which returns undefined when there is nothing to do. Returns null for a target that no
 * broker has leased yet.
 */
export const changeEnforcement = (
  ledger: Ledger,
  target: string,
  change: (state: Enforcement) => Partial<Enforcement> | undefined,
): Promise<Enforcement | null> =>
  updateRecord(ledger, enforcements, target, (state) => {
    const changed = change(state);
    return changed && { ...state, ...changed };
  });
