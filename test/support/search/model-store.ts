/**
 * The store port in a few maps, which never fails. The model tests compare the real stores with it, and the interleaving tests
 * run on it: every operation takes effect in one synchronous step, at the moment it is called.
 */
import { PUBLICATIONS_KNOWN_MS } from '../../../src/domain/limits.js';
import type { Cause } from '../../../src/domain/selector.js';
import type { Clock } from '../../../src/domain/time.js';
import { join, numbered, type LogEntry } from '../../../src/domain/tombstone.js';
import { ENTRIES_KEPT, entryOf, lacksKnown, shardOfChange } from '../../../src/store/encoding.js';
import { AWAITED_MS, LogGap, type Key, type Log, type Records, type Store } from '../../../src/store/store.js';

export interface ModelState {
  records: Map<Key, { text: string; expiresAt: number }>;
  /** Index → member → score. */
  indexes: Map<Key, Map<string, number>>;
  tombstones: Map<Cause, string>;
  /** The entry with number n is at index n - 1. */
  entries: LogEntry[];
  /** Publication id → its entry, and when the store may forget that it has it. */
  published: Map<string, { entry: LogEntry; until: number }>;
  generation: string | undefined;
  home: number;
  generationHome: number;
}

export interface ModelStore extends Store {
  /** Returns a copy of everything, for `rewind` of this store or another. */
  snapshotState(): ModelState;
  /** Returns an independent store with the same contents, on the same clock unless another is given. */
  clone(clock?: Clock): ModelStore;
  /** Removes everything, the generation too. */
  wipe(): void;
  /** Keeps the contents, but under another home: the generation becomes foreign. */
  moveHome(): void;
  /** Moves to another home, which is taken for the old one, whatever it lacks. */
  takeForItsHome(): void;
  /** Brings back an older state, under the present home: a restored backup, or a failover that lost the latest writes. */
  rewind(state: ModelState): void;
}

export function modelStore(clock: Clock, initial: ModelState = empty()): ModelStore {
  const state = copy(initial);
  return {
    records: modelRecords(state, clock),
    log: modelLog(state, clock),
    health: () => step(() => ({ clock: clock.now(), usedFraction: 0, problems: [] })),
    close: () => Promise.resolve(),
    snapshotState: () => copy(state),
    clone: (other = clock) => modelStore(other, state),
    wipe: () => void Object.assign(state, empty(), { home: state.home }),
    moveHome: () => void (state.home += 1),
    takeForItsHome: () => void (state.generationHome = state.home += 1),
    rewind: (older) => void Object.assign(state, copy(older), { home: state.home }),
  };
}

function modelRecords(state: ModelState, clock: Clock): Records {
  const text = (key: Key): string | undefined => {
    const record = state.records.get(key);
    return record && record.expiresAt > clock.now() ? record.text : undefined;
  };
  return {
    read: (keys) => step(() => keys.map(text)),
    commit: (change) =>
      step(() => {
        shardOfChange(change);
        if (change.expect?.some(([key, expected]) => text(key) !== expected)) return false;
        for (const [key, value, expiresAt = Infinity] of change.put ?? [])
          state.records.set(key, { text: value, expiresAt });
        for (const key of change.remove ?? []) state.records.delete(key);
        for (const [index, member, score] of change.index ?? [])
          state.indexes.set(index, (state.indexes.get(index) ?? new Map<string, number>()).set(member, score));
        for (const [index, member] of change.unindex ?? []) state.indexes.get(index)?.delete(member);
        return true;
      }),
    range: (index, { after, to = Infinity, limit }) =>
      step(() =>
        [...(state.indexes.get(index) ?? [])]
          .sort(byScoreThenMember)
          .filter(
            ([member, score]) =>
              score <= to && (!after || byScoreThenMember([member, score], [after[1], after[0]]) > 0),
          )
          .slice(0, limit),
      ),
    count: (index, { from = -Infinity, to = Infinity } = {}) =>
      step(
        () => [...(state.indexes.get(index)?.values() ?? [])].filter((score) => score >= from && score <= to).length,
      ),
  };
}

function modelLog(state: ModelState, clock: Clock): Log {
  return {
    look: (causes, known) =>
      step(() => ({
        home: String(state.home),
        id: state.entries.at(-1)?.id,
        lacks: lacksKnown(
          known,
          { home: String(state.home), seq: state.entries.length },
          (seq) => state.entries[seq - 1]?.id,
        ),
        ...(state.generationHome === state.home || state.generation === undefined
          ? { generation: state.generation }
          : { generation: undefined, foreign: state.generation }),
        seq: state.entries.length,
        tombstones: causes.map((cause) => state.tombstones.get(cause)),
      })),
    publish: (publication) =>
      step(() => {
        const earlier = state.published.get(publication.id);
        if (earlier && earlier.until > clock.now()) return earlier.entry;
        const before = state.tombstones.get(publication.cause);
        const joined = join(before, publication);
        if (joined === undefined) return undefined;
        const entry = entryOf(publication, state.entries.length + 1, before);
        state.tombstones.set(publication.cause, numbered(joined, entry.seq));
        state.entries.push(entry);
        state.published.set(publication.id, { entry, until: clock.now() + PUBLICATIONS_KNOWN_MS });
        return entry;
      }),
    entries: (after, limit) =>
      step(() => {
        const { length } = state.entries;
        if (after > length || after < length - ENTRIES_KEPT) throw new LogGap(`no entries after ${after}`);
        return state.entries.slice(after, after + limit);
      }),
    async awaitEntry(after) {
      for (let waited = 0; waited < AWAITED_MS && state.entries.length <= after; waited += 10) await clock.pause(10);
      return state.entries.length > after;
    },
    snapshot: () => step(() => ({ tombstones: [...state.tombstones] })),
    forget: (tombstones) =>
      step(() => {
        for (const [cause, text] of tombstones)
          if (state.tombstones.get(cause) === text) state.tombstones.delete(cause);
      }),
    adopt: () => Promise.resolve(false),
    replace: (seen, generation) =>
      step(() => {
        if (state.generation !== seen) return false;
        Object.assign(state, { generation, generationHome: state.home });
        return true;
      }),
  };
}

/** Runs at once, as an operation on one store does. A throw becomes a rejection. */
const step = <T>(run: () => T): Promise<T> => new Promise((resolve) => resolve(run()));

const byScoreThenMember = ([a, m]: [string, number], [b, n]: [string, number]): number =>
  m - n || Buffer.compare(Buffer.from(a), Buffer.from(b));

const empty = (): ModelState => ({
  records: new Map(),
  indexes: new Map(),
  tombstones: new Map(),
  entries: [],
  published: new Map(),
  generation: undefined,
  home: 1,
  generationHome: 1,
});

/** Copies the maps only: texts, entries and records are never changed in place. */
const copy = (state: ModelState): ModelState => ({
  ...state,
  records: new Map(state.records),
  indexes: new Map([...state.indexes].map(([index, members]) => [index, new Map(members)])),
  tombstones: new Map(state.tombstones),
  entries: [...state.entries],
  published: new Map(state.published),
});
