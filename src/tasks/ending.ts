/** How a task or a run is declared to be over, and what ended with it. */
import { defined } from '../domain/defined.js';
import type { DECLARED_OUTCOMES } from '../domain/task-outcome.js';
import type { LogEntry } from '../domain/tombstone.js';
import { countImpact, type Affected } from '../ledger/impact.js';
import type { Ledger } from '../ledger/ledger.js';
import { effectsOf, type AchievedEffect } from '../revocation/effects.js';

export interface Completion {
  outcome: (typeof DECLARED_OUTCOMES)[number];
  reason?: string;
}

export interface Ending {
  entry: LogEntry;
  /** Absent if the store cannot count now: what the entry ended is dead all the same. */
  affected?: Affected;
  effects: AchievedEffect[];
}

/** Call it before the records of what has ended are changed: they are what is counted. */
export async function endingBy(ledger: Ledger, entry: LogEntry): Promise<Ending> {
  const { selector, at, seq, before } = entry;
  const affected = await countImpact(ledger, { selector, at, published: { seq, before } }).catch(() => undefined);
  return defined({ entry, affected, effects: await effectsOf(ledger, affected, entry) });
}
