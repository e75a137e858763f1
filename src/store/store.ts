/**
 * The store port. A store keeps small texts, swaps them atomically and numbers revocations; it knows nothing of tasks or
 * credentials. Two engines implement it (Redis, LMDB) and one contract suite (test/contract) says what both must do.
 */
import type { Cause } from '../domain/selector.js';
import type { LogEntry, Publication } from '../domain/tombstone.js';

/** `<shard>/<name>`. A shard is the unit of atomicity: everything in one `Change` lives in one. */
export type Key = `${string}/${string}`;
export type Member = string;

/** Sorts behind every member that is an id or a number: in `after`, the place behind all members of a score. */
export const BEHIND_ALL_MEMBERS: Member = '~';

export interface Store {
  records: Records;
  log: Log;
  /** Where a failover keeps what lives, it also stamps the log (redis/stamp.lua). */
  health(): Promise<StoreHealth>;
  close(): Promise<void>;
}

export interface Records {
  /**
   * Returns the texts under the keys, in order; undefined where there is none, or it has expired. Keys may be of several
   * shards.
   */
  read(keys: readonly Key[]): Promise<(string | undefined)[]>;
  /** Writes all or nothing. False: an expectation does not hold, and nothing was written. A rejection means *unknown*. */
  commit(change: Change): Promise<boolean>;
  /** Members with their scores, ascending by (score, member in byte order), after `after`, with score ≤ `to`. */
  range(index: Key, by: RangeBy): Promise<[member: Member, score: number][]>;
  /** Returns how many members have a score in [`from`, `to`], both inclusive. */
  count(index: Key, by?: { from?: number; to?: number }): Promise<number>;
}

interface RangeBy {
  after?: [score: number, member: Member];
  to?: number;
  limit: number;
}

export interface Change {
  /** What must still be there: the exact text that was read, or undefined for none (or one that has expired). */
  expect?: [Key, string | undefined][];
  /** `expiresAt` in milliseconds; from then on the record reads as absent. */
  put?: [Key, string, expiresAt?: number][];
  remove?: Key[];
  /** Adds a member or moves its score. Scores are integers below 2^53. */
  index?: [Key, Member, score: number][];
  unindex?: [Key, Member][];
  /**
   * Whether it must be as durable as a publication before it is answered. A change that writes nothing makes what it expects
   * durable.
   */
  durable?: boolean;
}

export interface Log {
  /**
   * Reads atomically on the primary: the number of the latest entry, and the tombstones of these causes as text.
   * `generation` is undefined when the log has none or was written at another home: the caller must `adopt` or `replace` it.
   */
  look(causes: readonly Cause[], known?: Known): Promise<Look>;
  /**
   * Appends the entry and joins it into its cause's tombstone, atomically. Resolves when that is as durable as configured. The
   * same `id` returns the same entry for at least `PUBLICATIONS_KNOWN_MS`. Undefined: there was nothing to publish (a lift of
   * what is not held). The generation is not compared: a revocation is accepted even by a log that has lost its past.
   */
  publish(publication: Publication): Promise<LogEntry | undefined>;
  /**
   * Entries with a sequence number above `after`, without a gap. Throws LogGap when some of them are no longer kept, or when
   * `after` was never reached (a log that lost its end).
   */
  entries(after: number, limit: number): Promise<LogEntry[]>;
  /**
   * Resolves with true as soon as there is an entry above `after`, or with false after a second without. It is a hint about when
   * to ask for `entries`, and may be wrong. One waits at a time.
   */
  awaitEntry(after: number): Promise<boolean>;
  /** Tombstones in pages, in no particular order. The first page has no `after`; each next one has the `next` of the one before. */
  snapshot(after?: string): Promise<{ tombstones: [Cause, string][]; next?: string }>;
  /** Removes tombstones that still have exactly this text. */
  forget(tombstones: readonly [Cause, string][]): Promise<void>;
  /**
   * Takes the home of that look for the one where its `foreign` generation was installed: what lives lives on. False: there it
   * is not proven that everything acknowledged has come along.
   * @param isKnown whether the caller knew this generation from before, and the look lacks nothing of it
   */
  adopt(found: Look, isKnown: boolean): Promise<boolean>;
  /** Installs a generation at this home. False: the stored one (whatever its home) is no longer `seen`. */
  replace(seen: string | undefined, generation: string): Promise<boolean>;
}

/** What a process has seen of the log, so that a look can tell whether it is still there. */
export interface Known {
  /** Where it was seen. Undefined: part of it was not seen by a look, as what this process has just published. */
  home: string | undefined;
  /** The latest entry that was seen, and those that nobody has looked for yet. Each implies all before it. */
  entries: readonly Place[];
}

/** The place of an entry in the log. Numbers are used again after a loss, ids are not. */
export interface Place {
  seq: number;
  id: string;
}

export interface Look {
  generation: string | undefined;
  /** Where `generation` is undefined: the one that was installed at another home, for `adopt` and `replace`. */
  foreign?: string;
  /** Which server or file answered, so that another one, or the same after a loss, is noticed. */
  home: string;
  /** The sequence number of the latest entry; 0 before the first. No number is left out. */
  seq: number;
  /** The id of the latest entry; undefined before the first. */
  id: string | undefined;
  /** Whether an entry that is known is not in this log. */
  lacks: boolean;
  tombstones: (string | undefined)[];
}

/** How long `awaitEntry` waits at most. */
export const AWAITED_MS = 1_000;

/** Entries that were asked for are not in the log: they are no longer kept, or never were. */
export class LogGap extends Error {
  override name = 'LogGap';
}

/** The engine did not answer, or not in time: what was asked may or may not have happened. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable';
}

export interface StoreHealth {
  /** The store's own clock, milliseconds. */
  clock: number;
  /** Memory or disk in use, 0 to 1. */
  usedFraction: number;
  /** The node that answers only copies another one: nothing can be written there. */
  isReplica?: boolean;
  /** Why nothing may be minted on this store, each a sentence for an operator. Empty: it is fit. */
  problems: string[];
}
