/** Keeps who was told of a revocation and when each knew, until it is written into the ledger, once a second. */
import { eachSettled } from '../ledger/each-settled.js';
import { addVerifiers, createInformed, type Informed, type InformedVerifier } from '../ledger/known-by.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Published } from './line.js';

/** Of more revocations within a second, the oldest get no evidence. */
const WAITING_MOST = 1_000;
const WRITTEN_AT_ONCE = 16;

export interface Witness {
  /** An entry that is no longer kept is passed over. */
  note(entry: Published | undefined, verifiers: readonly InformedVerifier[]): void;
  /** Writes what was noted. What could not be written is kept for the next time. */
  write(): Promise<void>;
}

export function createWitness(ledger: Ledger): Witness {
  let waiting = new Map<number, { entry: Published; informed: Informed }>();

  function note(entry: Published | undefined, verifiers: Iterable<InformedVerifier>): void {
    if (!entry) return;
    const before = waiting.get(entry.seq);
    const noted = before?.entry.id === entry.id ? before : { entry, informed: createInformed() };
    for (const verifier of verifiers) noted.informed.add(verifier);
    if (noted.informed.all().length > 0) waiting.set(entry.seq, noted);
    const [oldest] = waiting.keys();
    if (waiting.size > WAITING_MOST && oldest !== undefined) waiting.delete(oldest);
  }

  return {
    note,
    write() {
      const taken = [...waiting.values()];
      waiting = new Map();
      return eachSettled(
        taken,
        async ({ entry, informed }) => {
          try {
            await addVerifiers(ledger, entry, informed);
          } catch (error) {
            note(entry, informed.all());
            throw error;
          }
        },
        WRITTEN_AT_ONCE,
      );
    },
  };
}
