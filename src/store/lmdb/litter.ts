/**
 * Removes texts that expired long ago. Every write looks at a few, going round the table, so the work follows the load and
 * needs neither a timer nor an index: litter never grows beyond a third of what is alive.
 */
import { defined } from '../../domain/defined.js';
import type { Database } from 'lmdb';
import type { Clock } from '../../domain/time.js';
import { isLitter } from '../expiring.js';

const LOOKED_AT_PER_WRITE = 4;

/** To be called inside a transaction. */
export function litterCollector(table: Database<string, string>, clock: Clock): () => void {
  let last: string | undefined;
  return () => {
    const next = [...table.getRange(defined({ start: last, limit: LOOKED_AT_PER_WRITE + 1 }))];
    for (const { key, value } of next) if (isLitter(clock.now(), value)) void table.remove(key);
    last = next.length > LOOKED_AT_PER_WRITE ? next.at(-1)?.key : undefined;
  };
}
