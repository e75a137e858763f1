/**
 * The revocation log as the broker uses it: parsed, and not trusted after a loss. A look that finds the log without a
 * generation, lacking what was seen of it (known-log.ts), or at another home whose store cannot prove that nothing is lost,
 * installs a new generation before it returns. Everything of an older generation is dead: a lost log costs what was alive,
 * because it must not revive what was revoked.
 */
import { askTogether } from '../domain/ask-together.js';
import { death, parseEpoch, type Death, type Epoch, type Revocable } from '../domain/liveness.js';
import type { Cause } from '../domain/selector.js';
import type { Outcome } from '../domain/task-outcome.js';
import { parseTombstone, type LogEntry, type Publication, type Tombstone } from '../domain/tombstone.js';
import { StoreUnavailable, type Log, type Look } from '../store/store.js';
import { fromMark, generationAfter, isWhole, learnt, markOf, withPublished, type Mark } from './known-log.js';

/**
 * One atomic look at the log, for all who looked at the same time. Every question throws on a cause that nobody of them has looked
 * for.
 */
export interface Seen {
  /** Where the log stood: whatever is born of this look carries it. */
  epoch: Epoch;
  /** Returns the tombstones on these causes. */
  on: (causes: readonly Cause[]) => (Tombstone | undefined)[];
  /** Returns how something born at this epoch, hanging on these causes, ended; undefined while it lives. */
  deathOf: (kind: Revocable, epoch: string, causes: readonly Cause[]) => Outcome | undefined;
  /** Returns the entry that ended it first. Its number is 0 where the loss of an earlier log did. */
  firstDeathOf: (kind: Revocable, epoch: string, causes: readonly Cause[]) => Death | undefined;
}

export interface RevocationLog {
  /** The look begins after the call. Causes may be named twice. */
  look(causes: readonly Cause[]): Promise<Seen>;
  publish(publication: Publication): Promise<LogEntry | undefined>;
  entries: Log['entries'];
  awaitEntry: Log['awaitEntry'];
  snapshot: Log['snapshot'];
  forget: Log['forget'];
}

const REPLACEMENTS = 5;

export interface LogEvents {
  /** Receives every entry that this process publishes: metrics count it, the audit log catches up. It must not throw. */
  onPublished?(entry: LogEntry): void;
  onNewGeneration?(lost: string | undefined): void;
}

/** Keeps what was seen of the log outside the store, so that a store which is set back while no broker runs is noticed. */
export interface LogMemory {
  /** What was kept when the process started. */
  mark: Mark | undefined;
  /** Resolves once this mark, or a later one, will outlive the process. */
  keep(mark: Mark): Promise<void>;
}

export function openRevocationLog(log: Log, events: LogEvents = {}, memory?: LogMemory): RevocationLog {
  let known = memory?.mark && fromMark(memory.mark);

  async function trusted(causes: readonly Cause[]): Promise<Look & { generation: string }> {
    for (let attempts = 0; attempts < REPLACEMENTS; attempts += 1) {
      const asked = known; // Another look may return newer numbers while this one is under way.
      const look = await log.look(causes, asked);
      const { generation } = look;
      const found = generation ?? look.foreign;
      const whole = found !== undefined && isWhole(asked, found, look);
      if (generation !== undefined && whole) {
        known = learnt(generation, look, { asked, now: known });
        // What others publish is kept a moment later. A directory that cannot be written shows in the health of the broker.
        memory?.keep(markOf(known)).catch(() => undefined);
        return { ...look, generation };
      }
      if (whole && (await log.adopt(look, asked?.generation === found))) continue;
      if (await log.replace(found, generationAfter([found, asked?.generation]))) events.onNewGeneration?.(found);
    }
    throw new StoreUnavailable('the revocation log does not keep its generation');
  }

  /** Looks for what was published, so that it is kept before it is acknowledged. */
  async function kept(memory: LogMemory): Promise<void> {
    await trusted([]);
    if (known) await memory.keep(markOf(known));
  }

  return {
    look: askTogether(async (causes) => {
      const { generation, seq, tombstones } = await trusted(causes);
      return seenOf({ generation, seq }, new Map(causes.map((cause, index) => [cause, tombstones[index]])));
    }),
    async publish(publication) {
      const entry = await log.publish(publication);
      if (entry && known) known = withPublished(known, entry);
      if (entry && memory) await kept(memory);
      if (entry) events.onPublished?.(entry);
      return entry;
    },
    entries: (after, limit) => log.entries(after, limit),
    awaitEntry: (after) => log.awaitEntry(after),
    snapshot: (after) => log.snapshot(after),
    forget: (tombstones) => log.forget(tombstones),
  };
}

/**
 * Installs a new generation although nothing was lost: everything older is dead, and stays dead whatever any clock says. Holds
 * stay in force.
 */
export async function renewGeneration(log: Log): Promise<void> {
  for (let attempts = 0; attempts < REPLACEMENTS; attempts += 1) {
    const { generation, foreign } = await log.look([]);
    const old = generation ?? foreign;
    if (await log.replace(old, generationAfter([old]))) return;
  }
  throw new StoreUnavailable('the revocation log does not keep its generation');
}

/** Returns the number of the latest cutoff or hold (lifted or not) on any of these causes; 0 when there is none. */
export const latestCut = (seen: Seen, causes: readonly Cause[]): number =>
  Math.max(0, ...seen.on(causes).flatMap((tombstone) => [tombstone?.cut?.seq ?? 0, tombstone?.lastHold ?? 0]));

/** A tombstone is text until it is asked for, and is then parsed once. */
type Read = string | Tombstone | undefined;

function seenOf(epoch: Epoch, byCause: Map<Cause, Read>): Seen {
  const on: Seen['on'] = (causes) => causes.map((cause) => tombstoneOn(byCause, cause));
  const firstDeathOf: Seen['firstDeathOf'] = (kind, born, causes) =>
    death(kind, parseEpoch(born), epoch.generation, on(causes));
  return { epoch, on, firstDeathOf, deathOf: (kind, born, causes) => firstDeathOf(kind, born, causes)?.as };
}

function tombstoneOn(byCause: Map<Cause, Read>, cause: Cause): Tombstone | undefined {
  const read = byCause.get(cause);
  if (read === undefined && !byCause.has(cause)) throw new Error('the look did not include this cause');
  if (typeof read !== 'string') return read;
  const tombstone = parseTombstone(read);
  byCause.set(cause, tombstone);
  return tombstone;
}
