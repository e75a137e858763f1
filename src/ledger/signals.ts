/** Signals in the ledger: each is written once, however often it arrives, and stays indexed until everything is done about it. */
import { isId, shardOf, SHARDS, type Shard } from '../domain/id.js';
import { HISTORY_MS } from '../domain/limits.js';
import { signalSchema, type Signal } from '../domain/signal.js';
import { record } from '../store/record.js';
import type { Change, Key } from '../store/store.js';
import { acceptedIndex, pendingIndex, recordKey, signalIndex, waitingIndex } from './keys.js';
import type { Versioned, Ledger } from './ledger.js';
import { retryOnConflict, updateRecord } from './retry-on-conflict.js';
import { pruneIndex, scanIndex } from './scan-index.js';

/** `new`: the signal is durable now. `again`: it was there before, and is durable now. `other`: its source has sent something else under this id. */
export type Put = 'new' | 'again' | 'other';

const signals = record(signalSchema, recordKey, {
  expiresAt: (signal) => (isSettled(signal) ? signal.receivedAt + HISTORY_MS : undefined),
  indexes: indexChanges,
});

export const putSignal = (ledger: Ledger, signal: Signal): Promise<Put> =>
  retryOnConflict(ledger, async () =>
    (await signals.write(ledger, signal.id, undefined, signal, { durable: true })) ? 'new' : findPut(ledger, signal),
  );

/**
 * Returns undefined when the source has sent nothing under this id. A signal that was only read may be on no replica: when it
 * was written, the answer may have been 503.
 */
export async function findPut(
  ledger: Ledger,
  { id, digest }: Pick<Signal, 'id' | 'digest'>,
): Promise<'again' | 'other' | undefined> {
  const found = await retryOnConflict(ledger, async () => {
    const there = await readSignal(ledger, id);
    if (there?.value.digest !== digest) return there ? 'other' : 'none';
    const isDurable = await ledger.records.commit({ expect: [[recordKey(id), there.text]], durable: true });
    return isDurable ? 'again' : undefined;
  });
  return found === 'none' ? undefined : found;
}

/** Returns undefined for an id that is unknown, or not a signal's. */
export const readSignal = async (ledger: Ledger, id: string): Promise<Versioned<Signal> | undefined> =>
  isId('sig', id) ? signals.read(ledger, id) : undefined;

/**
 * Changes the record by `change`, which returns undefined when there is nothing to do. Returns the signal as it stands
 * then, or null when it is unknown.
 */
export const changeSignal = (
  ledger: Ledger,
  id: string,
  change: (signal: Signal) => Partial<Signal> | undefined,
): Promise<Signal | null> =>
  updateRecord(ledger, { ...signals, read: readSignal }, id, (signal) => {
    const changed = change(signal);
    return changed && { ...signal, ...changed };
  });

/** Changes a signal that is in state `from`. Returns undefined when it is not: of several brokers, exactly one gets the signal. */
export async function takeSignal(
  ledger: Ledger,
  { id, from }: Pick<Signal, 'id'> & { from: Signal['state'] },
  change: (signal: Signal) => Partial<Signal>,
): Promise<Signal | undefined> {
  const taken = await retryOnConflict(ledger, async () => {
    const stored = await readSignal(ledger, id);
    if (stored?.value.state !== from) return null;
    return (await signals.write(ledger, id, stored, { ...stored.value, ...change(stored.value) }))?.value;
  });
  return taken ?? undefined;
}

/** Returns whether everything is done about a signal and it waits for nobody. Until then it must not expire. */
const isSettled = ({ state, unfinished }: Signal): boolean =>
  unfinished === undefined && state !== 'accepted' && state !== 'waiting' && state !== 'pending';

function indexChanges(signal: Signal, before: Signal | undefined): Pick<Change, 'index' | 'unindex'> {
  const { id, state, receivedAt, waitsUntil = receivedAt, unfinished = false } = signal;
  const shard = shardOf(id);
  const entries: [Key, score: number, listed: boolean][] = [
    [acceptedIndex(shard), receivedAt, state === 'accepted' || unfinished],
    [pendingIndex(shard), receivedAt, state === 'pending'],
    [waitingIndex(shard), waitsUntil, state === 'waiting'],
    ...(before ? [] : [[signalIndex(shard), receivedAt, true] satisfies [Key, number, boolean]]),
  ];
  return {
    index: entries.flatMap(([index, score, listed]): [Key, string, number][] => (listed ? [[index, id, score]] : [])),
    unindex: entries.flatMap(([index, , listed]): [Key, string][] => (listed ? [] : [[index, id]])),
  };
}

interface Page {
  /** The last signal of the page before: only later ones are returned, or those of the same time with a greater id. */
  after?: [receivedAt: number, id: string];
  limit: number;
}

/**
 * Returns all signals, or those that a person must confirm, the oldest first. One that cannot be read is left out and hides
 * no other.
 */
export async function listSignals({ records }: Ledger, which: 'all' | 'pending', page: Page): Promise<Signal[]> {
  const indexOf = { all: signalIndex, pending: pendingIndex }[which];
  const pages = await Promise.all(SHARDS.map((shard) => records.range(indexOf(shard), page)));
  const ids = pages
    .flat()
    .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
    .slice(0, page.limit)
    .map(([id]) => id);
  const texts = await records.read(ids.map(recordKey));
  return texts.flatMap((text) => (text === undefined ? [] : (signalSchema.safeParse(JSON.parse(text)).data ?? [])));
}

/** Yields the signals of a shard about which something is still to be done, in pages: id and when it was received. */
export const unfinishedSignals = (
  { records }: Ledger,
  shard: Shard,
  limit: number,
): AsyncGenerator<[id: string, receivedAt: number][]> => scanIndex(records, acceptedIndex(shard), { limit });

/**
 * Returns the signals that have waited too long for another source, or for a person: a few of each shard, the earliest
 * first.
 */
export async function overdueSignals(
  { records, clock }: Ledger,
  limit: number,
): Promise<{ waiting: string[]; pending: string[] }> {
  const due = (indexOf: (shard: Shard) => Key, to: number) =>
    Promise.all(SHARDS.map((shard) => records.range(indexOf(shard), { to, limit })));
  const now = clock.now();
  const [waiting, pending] = await Promise.all([due(waitingIndex, now), due(pendingIndex, now - HISTORY_MS)]);
  return { waiting: waiting.flat().map(([id]) => id), pending: pending.flat().map(([id]) => id) };
}

/** Removes from the indexes those signals that have expired. */
export async function pruneSignals({ records, clock }: Ledger): Promise<void> {
  const to = clock.now() - HISTORY_MS;
  for (const shard of SHARDS) {
    const also = [acceptedIndex(shard), pendingIndex(shard), waitingIndex(shard)];
    await pruneIndex(records, signalIndex(shard), { keyOf: recordKey, also, to });
  }
}
