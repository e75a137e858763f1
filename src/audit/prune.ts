/**
 * Prunes the audit log: whole batches are removed from its old end, and a signed checkpoint is left, from which the rest
 * verifies.
 */
import { defined } from '../domain/defined.js';
import type { Clock } from '../domain/time.js';
import type { Records } from '../store/store.js';
import { entryText, hashOf, type Place } from './chain.js';
import type { Decide } from './extend.js';
import { BATCHES, batchKey, parseBatch } from './head.js';
import { timeOf } from './page.js';

const BATCHES_AT_ONCE = 64;

interface PruneDeps {
  records: Pick<Records, 'read' | 'range'>;
  clock: Clock;
  node: string;
  signCheckpoint(checkpoint: Place): Promise<string>;
}

/** Removes entries older than `before`, a bounded number of batches at a time. */
export const prunedBefore =
  (deps: PruneDeps, before: number): Decide =>
  async () => {
    const { dropped, checkpoint } = await oldBatches(deps.records, before);
    if (!checkpoint) return undefined;
    const signed = await deps.signCheckpoint(checkpoint);
    return {
      entries: [entryText({ type: 'audit.pruned', at: deps.clock.now(), checkpoint, node: deps.node })],
      head: { checkpoint: { ...checkpoint, signed } },
      also: { remove: dropped.map(batchKey), unindex: dropped.map((first) => [BATCHES, first]) },
    };
  };

async function oldBatches(
  records: PruneDeps['records'],
  before: number,
): Promise<{ dropped: string[]; checkpoint?: Place }> {
  const batches = await records.range(BATCHES, { limit: BATCHES_AT_ONCE });
  const texts = await records.read(batches.map(([first]) => batchKey(first)));
  const dropped: string[] = [];
  let checkpoint: Place | undefined;
  for (const [index, [first, end]] of batches.entries()) {
    const lines = parseBatch(texts[index] ?? '').lines;
    const last = lines.at(-1);
    // The chain must stay in one piece: nothing after the first batch that must stay is removed.
    if (last === undefined || lines.some((line) => timeOf(line) >= before)) break;
    dropped.push(first);
    checkpoint = { seq: end, hash: hashOf(last) };
  }
  return defined({ dropped, checkpoint });
}
