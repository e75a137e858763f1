/** What is alive under a selector now, among the first tasks looked at. */
import type { Selector } from '../domain/selector.js';
import { countUpTo, type Affected } from '../ledger/impact.js';
import type { Ledger } from '../ledger/ledger.js';

/** `all`: whether that is all of it. */
export interface Live {
  affected: Affected;
  all: boolean;
}

/** So many open tasks are looked at for one answer. */
const TASKS_LOOKED_AT = 1_000;

export async function liveUnder(ledger: Ledger, selector: Selector): Promise<Live> {
  const enough = { hit: TASKS_LOOKED_AT, lookedAt: TASKS_LOOKED_AT };
  const { affected, isWhole } = await countUpTo(ledger, { selector, at: ledger.clock.now(), enough });
  return { affected, all: isWhole };
}
