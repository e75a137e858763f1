/** The revocation log on LMDB. */
import { PUBLICATIONS_KNOWN_MS } from '../../domain/limits.js';
import type { SystemClock } from '../../domain/time.js';
import { join, numbered, type LogEntry, type Publication } from '../../domain/tombstone.js';
import { ENTRIES_KEPT, entryOf, lacksKnown, parseLogEntry, stamped, textAt } from '../encoding.js';
import { AWAITED_MS, LogGap, type Log } from '../store.js';
import { expiredCollector } from './records.js';
import type { Room } from './room.js';
import { durably, now, type Tables } from './tables.js';

const PAGE = 1_000;

interface LogOptions {
  /** Where this log is. A generation that was installed at another home is returned as `foreign`. */
  home: string;
  room: Pick<Room, 'assertForRevocations'>;
}

export function lmdbLog(tables: Tables, clock: SystemClock, options: LogOptions): Log {
  const { awaitEntry, wake } = waiters(tables);
  const writing = writers(tables, clock, options);
  return {
    ...readers(tables, options.home),
    ...writing,
    awaitEntry,
    async publish(publication) {
      const entry = await writing.publish(publication);
      wake();
      return entry;
    },
  };
}

/** Only this process is heard at once: `mayfly revocations`, which may write beside it, is heard of a second later. */
function waiters(tables: Tables): Pick<Log, 'awaitEntry'> & { wake: () => void } {
  const waiting = new Set<() => void>();
  return {
    wake: () => waiting.forEach((wake) => wake()),
    async awaitEntry(after) {
      const woken = new Promise<boolean>((resolve) => {
        const done = (isThere: boolean) => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve(isThere);
        };
        const wake = () => done(true);
        const timer = setTimeout(done, AWAITED_MS, false).unref();
        waiting.add(wake);
      });
      // It waits already, so an entry that comes while this is read is not missed.
      return (await now(tables, () => latest(tables))) > after || woken;
    },
  };
}

function readers(tables: Tables, home: string): Pick<Log, 'look' | 'entries' | 'snapshot'> {
  const { head, tombstones, entries } = tables;
  return {
    look: (causes, known) =>
      now(tables, () => {
        const stored = head.get('generation');
        const here = stored === undefined || head.get('home') === home;
        const idAt = (place: number): string | undefined => {
          const text = entries.get(place);
          return text === undefined ? undefined : parseLogEntry(text).id;
        };
        const seq = latest(tables);
        return {
          ...(here ? { generation: stored } : { generation: undefined, foreign: stored }),
          home,
          seq,
          id: idAt(seq),
          lacks: lacksKnown(known, { home, seq }, idAt),
          tombstones: causes.map((cause) => tombstones.get(cause)),
        };
      }),
    entries: (after, limit) =>
      now(tables, () => {
        const seq = latest(tables);
        if (after > seq || after < seq - ENTRIES_KEPT) throw new LogGap(`entries after ${after} are not stored`);
        return [...entries.getRange({ start: after + 1, limit })].map(({ value }) => parseLogEntry(value));
      }),
    snapshot: (after) =>
      now(tables, () => {
        const range = after === undefined ? {} : { start: after, exclusiveStart: true };
        const page = [...tombstones.getRange({ ...range, limit: PAGE })];
        const last = page.length < PAGE ? undefined : page.at(-1)?.key;
        return {
          tombstones: page.map(({ key, value }) => [key, value]),
          ...(last !== undefined && { next: last }),
        };
      }),
  };
}

function writers(
  tables: Tables,
  clock: SystemClock,
  { home, room }: LogOptions,
): Pick<Log, 'publish' | 'forget' | 'adopt' | 'replace'> {
  const { head, tombstones, published } = tables;
  const collectExpired = expiredCollector(published, clock);
  return {
    publish: (publication) =>
      durably(tables, () => {
        const earlier = textAt(clock.reading(), published.get(publication.id));
        if (earlier !== undefined) return parseLogEntry(earlier);
        room.assertForRevocations();
        const entry = append(tables, publication);
        if (entry)
          void published.put(entry.id, stamped(JSON.stringify(entry), clock.reading() + PUBLICATIONS_KNOWN_MS));
        collectExpired();
        return entry;
      }),
    forget: (unneeded) =>
      durably(tables, () => {
        for (const [cause, text] of unneeded) if (tombstones.get(cause) === text) void tombstones.remove(cause);
      }),
    // A file at another home is a copy, and nothing tells how old it is.
    adopt: () => Promise.resolve(false),
    replace: (seen, generation) =>
      durably(tables, () => {
        if (head.get('generation') !== seen) return false;
        void head.put('generation', generation);
        void head.put('home', home);
        return true;
      }),
  };
}

function append(tables: Tables, publication: Publication): LogEntry | undefined {
  const { head, tombstones, entries } = tables;
  const before = tombstones.get(publication.cause);
  const joined = join(before, publication);
  if (joined === undefined) return undefined;
  const entry = entryOf(publication, latest(tables) + 1, before);
  void tombstones.put(entry.cause, numbered(joined, entry.seq));
  void entries.put(entry.seq, JSON.stringify(entry));
  void entries.remove(entry.seq - ENTRIES_KEPT);
  void head.put('seq', String(entry.seq));
  return entry;
}

const latest = ({ head }: Tables): number => Number(head.get('seq') ?? 0);
