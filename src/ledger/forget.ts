/**
 * Forgetting: a tombstone goes when it can kill nothing any more, by this broker's clock and by the store's, whichever is
 * behind. What it killed is past its own end by then; a hold that is not lifted is never forgotten, but on what has ended.
 */
import { parseTombstone } from '../domain/tombstone.js';
import type { Ledger } from './ledger.js';

/** @param latest No later than the store's own time, and than the time that has surely passed. Milliseconds. */
export async function forget({ log, clock }: Ledger, latest: number): Promise<number> {
  const now = Math.min(clock.now(), latest);
  let forgotten = 0;
  let after: string | undefined;
  do {
    const { tombstones, next } = await log.snapshot(after);
    const spent = tombstones.filter(([, text]) => isSpent(text, now));
    if (spent.length > 0) await log.forget(spent);
    forgotten += spent.length;
    after = next;
  } while (after !== undefined);
  return forgotten;
}

function isSpent(text: string, now: number): boolean {
  const { until, holds, ended } = parseTombstone(text);
  return (holds.length === 0 || ended !== undefined) && until <= now;
}
