/**
 * Who tells a target of deaths, and what it has been told: one record a target, changed by compare-and-set. One broker at a
 * time holds it; each new holder has a higher fence. What lives is decided by the log alone; this says how far a target knows.
 */
import { z } from 'zod';
import { cause } from '../domain/selector.js';
import { retryOnConflict } from './retry-on-conflict.js';
import { enforcementKey } from './keys.js';
import type { Versioned, Ledger } from './ledger.js';

const moment = z.int().nonnegative();

const enforcementSchema = z.strictObject({
  /** Raised by every write, so that equal bytes mean no write between. */
  revision: z.int().nonnegative(),
  /** Of the revocation log that all of this is about. */
  generation: z.string(),
  holder: z.string(),
  fence: z.int().positive(),
  heldUntil: moment,
  /** Whatever was issued before `at` is dead there: covers everything born before `seq`, and before this generation. */
  cutoff: z.strictObject({ seq: z.int().nonnegative(), at: moment }).optional(),
  /** What was written at `at` holds every death up to `seq`; the oldest first. */
  marks: z.array(z.strictObject({ seq: z.int().nonnegative(), at: moment })),
  writtenAt: moment.optional(),
  /** How many credentials of it may live, dead or not, when it was looked at last. */
  unspent: z.int().nonnegative().default(0),
  /** Since when the target has not taken what it should be told. */
  failingSince: moment.optional(),
});

export type Enforcement = z.infer<typeof enforcementSchema>;

export async function readEnforcement(
  { records }: Ledger,
  target: string,
): Promise<Versioned<Enforcement> | undefined> {
  const [text] = await records.read([enforcementKey(cause('target', target))]);
  return text === undefined ? undefined : { text, value: enforcementSchema.parse(JSON.parse(text)) };
}

/** Whoever else writes meanwhile: it is changed in the end, or `change` has nothing more to do. */
export function changeEnforcement(
  ledger: Ledger,
  target: string,
  change: (state: Enforcement) => Partial<Enforcement> | undefined,
): Promise<boolean> {
  return retryOnConflict(ledger, async () => {
    const stored = await readEnforcement(ledger, target);
    const changed = stored && change(stored.value);
    if (!changed) return false;
    return (await writeEnforcement(ledger, target, stored, { ...stored.value, ...changed })) ? true : undefined;
  });
}

/** What then stands, or undefined: another broker wrote first. */
export async function writeEnforcement(
  { records }: Ledger,
  target: string,
  stored: Versioned<Enforcement> | undefined,
  next: Omit<Enforcement, 'revision'>,
): Promise<Versioned<Enforcement> | undefined> {
  const value = { ...next, revision: (stored?.value.revision ?? 0) + 1 };
  const text = JSON.stringify(value);
  const key = enforcementKey(cause('target', target));
  const done = await records.commit({ expect: [[key, stored?.text]], put: [[key, text]] });
  return done ? { text, value } : undefined;
}
