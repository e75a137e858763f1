/**
 * Changing what others may write too: read, decision and compare-and-set are repeated when somebody else wrote first. The
 * number of attempts is bounded, and the wait between two of them is random.
 */
import { randomInt } from 'node:crypto';
import { BrokerError } from '../domain/errors.js';
import type { RecordKind, Versioned } from '../store/record.js';
import type { Ledger } from './ledger.js';

const ATTEMPTS = 12;

/** A kind of record, with its own `read` or one that refuses more, e.g. ids of another kind. */
interface Changeable<Id, T, Input> extends Pick<RecordKind<Id, T, Input>, 'write'> {
  read: (ledger: Ledger, id: Id) => Promise<Versioned<T> | undefined>;
}

/**
 * Returns the first result that is not undefined.
 * @param attempt Returns undefined when somebody else wrote first.
 */
export async function retryOnConflict<T>(
  { clock }: Pick<Ledger, 'clock'>,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  for (let attempts = 1; attempts <= ATTEMPTS; attempts += 1) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (attempts < ATTEMPTS) await clock.pause(randomInt(2 ** Math.min(attempts, 6)));
  }
  throw new BrokerError('temporarily_unavailable', 'Too many requests change the same record at once.', {
    retryAfterSeconds: 1,
  });
}

/**
 * Changes a record that exists. `change` returns undefined when there is nothing to do. Returns the record as it stands
 * afterwards, or null when there is none.
 */
export function updateRecord<Id, T extends Input, Input>(
  ledger: Ledger,
  { read, write }: Changeable<Id, T, Input>,
  id: Id,
  change: (value: T) => Input | undefined,
): Promise<T | null> {
  return retryOnConflict(ledger, async () => {
    const stored = await read(ledger, id);
    if (!stored) return null;
    const next = change(stored.value);
    return next === undefined ? stored.value : (await write(ledger, id, stored, next))?.value;
  });
}

/** Changes or creates a record, and returns it as it stands afterwards. Nothing is written when `change` changes nothing. */
export function upsertRecord<Id, T, Input>(
  ledger: Ledger,
  { read, write }: Changeable<Id, T, Input>,
  id: Id,
  change: (value: T | undefined) => Input,
): Promise<T> {
  return retryOnConflict(ledger, async () => {
    const stored = await read(ledger, id);
    return (await write(ledger, id, stored, change(stored?.value)))?.value;
  });
}
