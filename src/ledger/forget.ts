/**
 * Forgetting: a tombstone is removed when everything that it can end has expired, by this broker's clock and by the store's,
 * whichever is behind. A hold that is not lifted is never forgotten, except on something that has ended.
 */
import { parseTombstone } from '../domain/tombstone.js';
import type { Ledger } from './ledger.js';

/**
 * Returns how many tombstones were removed.
 * @param latest No later than the store's own time, and than the time that has surely passed. Milliseconds.
 */
export async function forget({ log, clock }: Ledger, latest: number): Promise<number> {
  const now = Math.min(clock.now(), latest);
  let forgotten = 0;
  let after: string | undefined;
  do {
    const { tombstones, next } = await log.snapshot(after);
    const unneeded = tombstones.filter(([, text]) => isUnneeded(text, now));
    if (unneeded.length > 0) await log.forget(unneeded);
    forgotten += unneeded.length;
    after = next;
  } while (after !== undefined);
  return forgotten;
}

function isUnneeded(text: string, now: number): boolean {
  const { until, holds, ended } = parseTombstone(text);
  return (holds.length === 0 || ended !== undefined) && until <= now;
}
