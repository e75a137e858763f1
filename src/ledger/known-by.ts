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

/**
 * The bounds keep the record small: of more verifiers, the receipt is silent. What an instance is called is for the party to say, so
 * one that makes names up must not take the places of all others. Nor may those that wait for the end of a credential, together:
 * whoever holds one may, so it may be those against whom the revocation was aimed.
 */
const VERIFIERS_MOST = { all: 1_000, ofOneParty: 500, waiting: 500 } as const;

const records = record(knownBySchema, knownByKey, { expiresAt: ({ at }) => at + HISTORY_MS });

type Entry = Pick<z.infer<typeof knownBySchema>, 'id' | 'at'> & { seq: number };

/** Returns the verifiers in the order in which they were told. */
export async function verifiersOf(ledger: Ledger, { seq, id }: Pick<Entry, 'seq' | 'id'>): Promise<InformedVerifier[]> {
  const stored = (await records.read(ledger, seq))?.value;
  return stored?.id === id ? stored.verifiers : [];
}

/** Verifiers in the order in which they were told, each once. */
export interface Informed {
  /** Of two instances under one name, the later moment stands. */
  add: (verifier: InformedVerifier) => void;
  all: () => InformedVerifier[];
}

export function createInformed(first: readonly InformedVerifier[] = []): Informed {
  const byName = new Map<string, InformedVerifier>();
  /** How many instances each party has. */
  const instances = new Map<string, number>();
  let waiting = 0;

  function add({ verifier, instance, by, knewAt }: InformedVerifier): void {
    const name = `${verifier}\n${instance ?? ''}\n${by ?? ''}`;
    const before = byName.get(name);
    const own = instances.get(verifier) ?? 0;
    if (!before) {
      if (byName.size >= VERIFIERS_MOST.all || own >= VERIFIERS_MOST.ofOneParty) return;
      if (by === 'wait' && (waiting += 1) > VERIFIERS_MOST.waiting) return;
      instances.set(verifier, own + 1);
    }
    const moments = [before?.knewAt, knewAt].filter((moment) => moment !== undefined);
    byName.set(
      name,
      defined({ verifier, instance, by, knewAt: moments.length > 0 ? Math.max(...moments) : undefined }),
    );
  }

  first.forEach(add);
  return { add, all: () => [...byName.values()] };
}

/** Adds what is known of these verifiers. */
export const addVerifiers = (ledger: Ledger, { seq, id, at }: Entry, informed: Informed): Promise<unknown> =>
  upsertRecord(ledger, records, seq, (stored) => {
    const together = createInformed(stored?.id === id ? stored.verifiers : []);
    informed.all().forEach(together.add);
    return { id, at, verifiers: together.all() };
  });
