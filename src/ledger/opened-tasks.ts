/** The open tasks of an account: how many there are, and which of them are over without their records saying so. */
import { randomInt } from 'node:crypto';
import { taskCauses } from '../domain/hangs-on.js';
import { SHARDS } from '../domain/id.js';
import type { Cause } from '../domain/selector.js';
import { isLive } from '../domain/task-outcome.js';
import { openedIndex } from './keys.js';
import type { Ledger } from './ledger.js';
import { taskState } from './task-state.js';
import { readReadableTasks, settle } from './tasks.js';

/** Returns how many tasks that the account has opened are not past their deadline, and have no end in their record. */
export async function countOpened({ records, clock }: Ledger, account: Cause): Promise<number> {
  const from = clock.now() + 1;
  const counts = await Promise.all(SHARDS.map((shard) => records.count(openedIndex(shard, account), { from })));
  return counts.reduce((sum, count) => sum + count, 0);
}

const LOOKED_AT = 512;
const PAGE = 64;

/**
 * Looks at some of the tasks that the account has opened, and records the end of those that a revocation has ended. Without it
 * they would count until their deadline: what a revocation of a team or an issuer ends is found by its tasks, and not
 * listed. Returns how many ends were recorded; 0 means that hardly any of the tasks are over.
 */
export async function settleSome(ledger: Ledger, account: Cause): Promise<number> {
  const { records } = ledger;
  const pages = await Promise.all(SHARDS.map((shard) => records.range(openedIndex(shard, account), { limit: PAGE })));
  const ids = pages.flat().map(([id]) => id);
  const start = ids.length > 0 ? randomInt(ids.length) : 0;
  const some = [...ids.slice(start), ...ids.slice(0, start)].slice(0, LOOKED_AT);
  for (let from = 0; from < some.length; from += PAGE) {
    const settled = await settlePage(ledger, some.slice(from, from + PAGE));
    if (settled > 0) return settled;
  }
  return 0;
}

async function settlePage(ledger: Ledger, ids: readonly string[]): Promise<number> {
  const tasks = await readReadableTasks(ledger, ids);
  const now = ledger.clock.now();
  const seen = await ledger.log.look(tasks.flatMap(taskCauses));
  let settled = 0;
  for (const task of tasks) {
    const state = taskState(task, seen, now);
    // What is past its deadline is not counted, and the sweep ends it.
    if (isLive(state) || task.deadline <= now) continue;
    await settle(ledger, task.id, { as: state, at: now });
    settled += 1;
  }
  return settled;
}
