/** The open tasks that may hang on a selector, in pages: from an index where there is one, else all. The caller checks each. */
import { SHARDS } from '../domain/id.js';
import type { Selector } from '../domain/selector.js';
import type { Task } from '../domain/task.js';
import type { Key } from '../store/store.js';
import { findCredential } from './credentials.js';
import { childIndex, dueIndex, indexesOf, isIndexed } from './keys.js';
import type { Ledger } from './ledger.js';
import { scanIndexes } from './scan-index.js';
import { readTasks } from './tasks.js';

/** A page is small: parsing and checking it blocks the event loop, and every other request waits for that. */
const PAGE = 64;

export async function* tasksUnder(ledger: Ledger, selector: Selector): AsyncGenerator<Task[]> {
  const { kind, value } = selector;
  if (kind === 'credential') {
    const found = await findCredential(ledger, value);
    if (found) yield* family(ledger, [found.task], new Set());
  } else if (kind === 'task') {
    yield* family(ledger, await open(ledger, [value]), new Set());
  } else if (kind === 'drill') {
    // Nothing hangs on a drill.
  } else if (isIndexed(selector)) {
    const seen = new Set<string>();
    for await (const page of indexed(ledger, indexesFor(selector))) yield* family(ledger, page, seen);
  } else {
    yield* indexed(ledger, indexesFor(selector));
  }
}

/** Returns how many tasks `tasksUnder` looks at, not counting children. */
export async function countTasksUnder({ records }: Ledger, selector: Selector): Promise<number> {
  if (selector.kind === 'drill') return 0;
  if (selector.kind === 'credential' || selector.kind === 'task') return 1;
  const counts = await Promise.all(indexesFor(selector).map((index) => records.count(index)));
  return counts.reduce((sum, count) => sum + count, 0);
}

function indexesFor(selector: Selector): Key[] {
  return SHARDS.flatMap((shard) => (isIndexed(selector) ? indexesOf(shard, selector) : [dueIndex(shard)]));
}

/** Yields the tasks and all their descendants, one level after the other. */
async function* family(ledger: Ledger, tasks: Task[], seen: Set<string>): AsyncGenerator<Task[]> {
  let level = tasks;
  while (level.length > 0) {
    const fresh = level.filter(({ id }) => !seen.has(id));
    for (const { id } of fresh) seen.add(id);
    for (let start = 0; start < fresh.length; start += PAGE) yield fresh.slice(start, start + PAGE);
    level = [];
    for await (const page of indexed(
      ledger,
      fresh.map(({ id }) => childIndex(id)),
    ))
      level.push(...page);
  }
}

async function* indexed(ledger: Ledger, indexes: Key[]): AsyncGenerator<Task[]> {
  for await (const page of scanIndexes(ledger.records, indexes, { limit: PAGE })) {
    const ids = page.map(([member]) => member);
    for (let start = 0; start < ids.length; start += PAGE) yield await open(ledger, ids.slice(start, start + PAGE));
  }
}

const open = async (ledger: Ledger, ids: readonly string[]): Promise<Task[]> =>
  (await readTasks(ledger, ids)).map(({ value }) => value).filter(({ ended }) => !ended);
