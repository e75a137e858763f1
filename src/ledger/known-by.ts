/**
 * Which verifiers were told of a revocation, and when each knew. It is evidence and nothing else: a credential is dead
 * whether or not anybody knows.
 */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { HISTORY_MS } from '../domain/limits.js';
import { moment } from '../domain/schemas.js';
import { record } from '../store/record.js';
import { knownByKey } from './keys.js';
import type { Ledger } from './ledger.js';
import { upsertRecord } from './retry-on-conflict.js';

const verifierSchema = z.strictObject({
  /** The id of the party that follows the feed, or waits for the end of one credential. */
  verifier: z.string(),
  /** Which of its instances, as it said. */
  instance: z.string().optional(),
  /** How it hears. Absent: it follows the feed. `wait`: it waits for the end of one credential, as a proxy does. */
  by: z.literal('wait').optional(),
  /** When it knew, at the latest. Absent: it was told, and has not said that it knows. */
  knewAt: moment.optional(),
});
export type InformedVerifier = z.infer<typeof verifierSchema>;

const knownBySchema = z.strictObject({
  /** The id of the entry: after the loss of a log, another one may have its number. */
  id: z.string(),
  /** When it was published. */
  at: moment,
  verifiers: z.array(verifierSchema),
});

/** The bound keeps the record small. Of more verifiers, the receipt is silent. */
const VERIFIERS_MOST = 1_000;

const records = record(knownBySchema, knownByKey, { expiresAt: ({ at }) => at + HISTORY_MS });

type Entry = Pick<z.infer<typeof knownBySchema>, 'id' | 'at'> & { seq: number };

/** Returns the verifiers in the order in which they were told. */
export async function verifiersOf(ledger: Ledger, { seq, id }: Pick<Entry, 'seq' | 'id'>): Promise<InformedVerifier[]> {
  const stored = (await records.read(ledger, seq))?.value;
  return stored?.id === id ? stored.verifiers : [];
}

/** Verifiers by their name and instance, in the order in which they were told. */
export type Informed = Map<string, InformedVerifier>;

/** Adds what is known of these verifiers. */
export const addVerifiers = (ledger: Ledger, { seq, id, at }: Entry, informed: Informed): Promise<unknown> =>
  upsertRecord(ledger, records, seq, (stored) => {
    const all: Informed = new Map();
    for (const one of stored?.id === id ? stored.verifiers : []) inform(all, one);
    for (const one of informed.values()) inform(all, one);
    return { id, at, verifiers: [...all.values()] };
  });

/** Adds one verifier. Of two instances under one name, the later moment stands. */
export function inform(informed: Informed, { verifier, instance, by, knewAt }: InformedVerifier): void {
  const name = `${verifier}\n${instance ?? ''}\n${by ?? ''}`;
  const before = informed.get(name)?.knewAt;
  const later = before === undefined || knewAt === undefined ? (before ?? knewAt) : Math.max(before, knewAt);
  if (informed.has(name) || informed.size < VERIFIERS_MOST)
    informed.set(name, defined({ verifier, instance, by, knewAt: later }));
}
