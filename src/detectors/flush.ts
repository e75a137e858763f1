/** Writes tallies to the store, subject by subject, by compare-and-set, so that all brokers count together. */
import type { DetectorEvent } from '../domain/signal.js';
import { eachSettled } from '../ledger/each-settled.js';
import { detectorKey } from '../ledger/keys.js';
import type { Ledger } from '../ledger/ledger.js';
import { retryOnConflict } from '../ledger/retry-on-conflict.js';
import type { Pool } from './pool.js';
import type { Raise } from './raise.js';
import { subjectOf, type Rule, type Tally } from './rule.js';
import type { Tallies } from './tallies.js';

interface FlushDeps {
  ledger: Ledger;
  rules: Record<DetectorEvent, Rule>;
  pool: Pool;
  raise: Raise;
}

const CONCURRENCY = 32;

/** A tally that the store does not take is put back. It may be counted twice, but never zero times. */
export async function flushTallies(deps: FlushDeps, taken: readonly Tally[], tallies: Tallies): Promise<void> {
  const pooled = await deps.pool(taken).catch((error: unknown) => {
    taken.forEach((tally) => tallies.putBack(tally));
    throw error;
  });
  const flush = (tally: Tally) =>
    flushOne(deps, tally).catch((error: unknown) => {
      tallies.putBack(tally);
      throw error;
    });
  await eachSettled(pooled, flush, CONCURRENCY);
}

/**
 * The signal comes first: after a crash it is raised again, under the same id. A crash loses the events of the last second,
 * which were in memory only.
 */
async function flushOne({ ledger, rules, raise }: FlushDeps, tally: Tally): Promise<void> {
  const { event, charge, count } = tally;
  const key = detectorKey(event, subjectOf(charge));
  // The text is the rule's own, so this compares and sets it without a schema.
  await retryOnConflict(ledger, async () => {
    const [stored] = await ledger.records.read([key]);
    // Nothing is stored and nothing was counted: there is no streak to reset.
    if (stored === undefined && count === 0) return true;
    const { keep, until, finding } = rules[event](stored, tally, ledger.clock.unchecked());
    const isUntold = finding !== undefined && (await raise(tally, finding)) === 'untold';
    const kept = isUntold ? finding.keepUntold : keep;
    const done = await ledger.records.commit({ expect: [[key, stored]], put: [[key, kept, until]] });
    return done || undefined;
  });
}
