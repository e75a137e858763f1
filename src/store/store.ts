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
  health(): Promise<StoreHealth>;
  close(): Promise<void>;
}

export interface Records {
  /** The texts under the keys, in order; undefined where absent or expired by the passed-in clock. Keys may span shards. */
  read(keys: readonly Key[]): Promise<(string | undefined)[]>;
  /** All or nothing. False: an expectation no longer holds, and nothing was written. A rejection means *unknown*. */
  commit(change: Change): Promise<boolean>;
  /** Members with their scores, ascending by (score, member in byte order), after `after`, with score ≤ `to`. */
  range(index: Key, by: RangeBy): Promise<[member: Member, score: number][]>;
  /** How many members have a score in [`from`, `to`], both inclusive. */
  count(index: Key, by?: { from?: number; to?: number }): Promise<number>;
}

interface RangeBy {
  after?: [score: number, member: Member];
  to?: number;
  limit: number;
}

export interface Change {
  /** Compare by value: the exact text read, or undefined for absent (or expired). */
  expect?: [Key, string | undefined][];
  /** `expiresAt` in milliseconds; from then on the record reads as absent. */
  put?: [Key, string, expiresAt?: number][];
  remove?: Key[];
  /** Adds a member or moves its score. Scores are integers below 2^53. */
  index?: [Key, Member, score: number][];
  unindex?: [Key, Member][];
}

export interface Log {
  /**
   * One atomic read on the primary: where the log stands and what lies on these causes (tombstone texts).
   * `generation` is undefined when the log has none or was written at another home: the caller must `replace` it.
   */
  look(causes: readonly Cause[]): Promise<Look>;
  /**
   * Appends the entry and joins it into its cause's tombstone, atomically. Resolves when durable as configured. The same
   * `id` answers the same entry for at least `PUBLICATIONS_KNOWN_MS`. Undefined: there was nothing to publish (lifting what is not
   * held). Never checks the generation: a revocation is taken even by a log that has lost its past.
   */
  publish(publication: Publication): Promise<LogEntry | undefined>;
  /**
   * Entries with a sequence number above `after`, without a hole; throws LogGap when some of them are no longer kept, or
   * when `after` was never reached (a log that lost its end).
   */
  entries(after: number, limit: number): Promise<LogEntry[]>;
  /** Tombstones in pages, in no particular order; start without `after`, go on with `next` until it is absent. */
  snapshot(after?: string): Promise<{ tombstones: [Cause, string][]; next?: string }>;
  /** Removes tombstones that still have exactly this text. */
  forget(tombstones: readonly [Cause, string][]): Promise<void>;
  /** Installs a generation here, if the one stored (whatever its home) is still `seen`. */
  replace(seen: string | undefined, generation: string): Promise<boolean>;
}

export interface Look {
  generation: string | undefined;
  /** With `generation` undefined: the one stored under another home, for `replace`. */
  foreign?: string;
  /** The sequence number of the latest entry; 0 before the first. Dense. */
  seq: number;
  tombstones: (string | undefined)[];
}

export class LogGap extends Error {
  override name = 'LogGap';
}

/** The engine did not answer, in time or at all: what was asked may or may not have happened. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable';
}

export interface StoreHealth {
  /** The store's own clock, milliseconds. */
  clock: number;
  /** Memory or disk in use, 0 to 1. */
  usedFraction: number;
  /** What makes this store unfit to mint on, each a sentence for an operator. */
  problems: string[];
}
