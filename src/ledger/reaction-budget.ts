/**
 * The budget of a reaction: how many parties it may hit within a minute on the word of one source. Every reaction, source and
 * trust entry of those who are hit has a budget of its own, so none of them can use up what is another's.
 */
import { z } from 'zod';
import { sha256 } from '../domain/digest.js';
import { AHEAD_AT_MOST_MS } from '../domain/limits.js';
import { moment, natural } from '../domain/schemas.js';
import { MINUTE_MS } from '../domain/time.js';
import { record } from '../store/record.js';
import { budgetKey } from './keys.js';
import type { Ledger } from './ledger.js';
import { upsertRecord } from './retry-on-conflict.js';

interface BudgetOf {
  reaction: string;
  /** Who stands behind the report. */
  origin: string;
  /** The trust entry of whoever is hit. */
  issuer: string;
}

interface Hit {
  /** Whoever was hit: a workload, a person, or all of a trust entry. */
  of: string;
  /** How many parties that are. */
  parties: number;
}

/**
 * Those who were hit within the last minute. Each stands once, at its latest time and as a hash, so the record is as small as the
 * budget, whatever the names.
 */
const budgetSchema = z.object({
  hits: z.array(z.strictObject({ of: z.string(), parties: natural, at: moment })),
});

/** 132 bits. */
const HASH_CHARACTERS = 22;

const budgets = ({ clock }: Ledger) =>
  record(budgetSchema, budgetKey, { expiresAt: () => clock.unchecked() + MINUTE_MS + AHEAD_AT_MOST_MS });

/**
 * Takes a hit out of the budget. False: too little is left, and nothing is taken. Whoever was hit within the minute already takes
 * nothing more: so it matters neither whether two brokers look at one signal, or one again after a crash, nor how often somebody is
 * reported or how many tasks they have open.
 * @param most How many parties may be hit in any 60 seconds.
 */
export async function takeFromBudget(ledger: Ledger, budget: BudgetOf, hit: Hit, most: number): Promise<boolean> {
  const now = ledger.clock.uncheckedMiddle();
  const own = { of: sha256(hit.of).slice(0, HASH_CHARACTERS), parties: hit.parties, at: now };
  let fits = false;
  await upsertRecord(ledger, budgets(ledger), budget, (stored) => {
    // The distance counts in both directions: what a clock that was ahead has written must not stay until its time has come.
    const others = (stored?.hits ?? []).filter(({ of, at }) => of !== own.of && Math.abs(now - at) < MINUTE_MS);
    fits = others.reduce((sum, { parties }) => sum + parties, own.parties) <= most;
    return fits ? { hits: [...others, own] } : (stored ?? { hits: [] });
  });
  return fits;
}
