/** Changing a record that others may write too: read, change and write are repeated when somebody else wrote first. */
import type { RecordKind, Versioned } from '../store/record.js';
import type { Ledger } from './ledger.js';
import { retryOnConflict } from './retry-on-conflict.js';

/** A kind of record, with its own `read` or one that refuses more, e.g. ids of another kind. */
interface Changeable<Id, T, Input> extends Pick<RecordKind<Id, T, Input>, 'write'> {
  read: (ledger: Ledger, id: Id) => Promise<Versioned<T> | undefined>;
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
