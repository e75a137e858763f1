/** What both engines share in how they write things down: names and shards, texts with an expiry, entries of the log. */
import { defined } from '../domain/defined.js';
import type { LogEntry, Publication } from '../domain/tombstone.js';
import type { Change, Key, Known, Look } from './store.js';

/** LMDB takes 1,978 bytes for an index, a score and a member together; Redis has no such limit. */
const NAME_BYTES_MAX = 900;

export const shardOfKey = (key: Key): string => key.slice(0, key.indexOf('/'));

/**
 * Returns the shard of a change. Throws when it has two (it could not be atomic on a cluster), none, or a name that is too
 * long.
 */
export function shardOfChange(change: Change): string {
  const { expect = [], put = [], remove = [], index = [], unindex = [] } = change;
  let shard: string | undefined;
  const takeKey = (key: Key): void => {
    checkLength(key);
    if (key.includes('\0')) throw new Error('a key with NUL');
    const own = shardOfKey(key);
    if (shard !== undefined && shard !== own)
      throw new Error(`a change lives in one shard, not in ${shard} and ${own}`);
    shard = own;
  };
  remove.forEach(takeKey);
  for (const part of [expect, put, index, unindex]) for (const [key] of part) takeKey(key);
  for (const part of [index, unindex]) for (const [, member] of part) checkLength(member);
  if (shard === undefined) throw new Error('a change lives in one shard, and this one has none');
  return shard;
}

function checkLength(name: string): void {
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) throw new Error('a name too long');
}

/**
 * How long an expired text stays in the store: far beyond any disagreement of clocks. Whether a text has expired is decided
 * when it is read, by the broker's clock; an engine only collects what expired long ago.
 */
export const EXPIRED_KEPT_MS = 3_600_000;

/**
 * Returns a text with its expiry before it: `<milliseconds, base 36> <text>`. Nothing stands before the space when it never
 * expires.
 */
export const stamped = (text: string, expiresAt?: number): string => `${expiresAt?.toString(36) ?? ''} ${text}`;

/** Returns the text that was stamped, or undefined when there is none or it has expired. */
export function textAt(now: number, stored: string | null | undefined): string | undefined {
  if (stored === undefined || stored === null) return undefined;
  return expiryOf(stored) > now ? stored.slice(stored.indexOf(' ') + 1) : undefined;
}

/** Returns whether a stamped text expired so long ago that it can be collected. */
export const isCollectable = (now: number, stored: string): boolean => expiryOf(stored) + EXPIRED_KEPT_MS <= now;

function expiryOf(stored: string): number {
  const stamp = stored.slice(0, stored.indexOf(' '));
  return stamp === '' ? Infinity : parseInt(stamp, 36);
}

/** How many entries a log keeps. A follower that is further behind gets LogGap. */
export const ENTRIES_KEPT = 100_000;

/** @param before The tombstone of the cause before this publication. */
export const entryOf = (publication: Publication, seq: number, before: string | undefined): LogEntry =>
  defined({ ...publication, seq, before });

/** Returns the entry of a stored text, which is always `JSON.stringify` of one. */
export const parseLogEntry = (text: string): LogEntry => JSON.parse(text) as LogEntry;

/**
 * Returns whether an entry that is known is not in the log of that look. At the home where it was known, its number is enough;
 * at another one its id is compared, because numbers are used again after a loss.
 * @param idAt returns the id of an entry; undefined where there is none, or it is no longer kept
 */
export function lacksKnown(
  known: Known | undefined,
  { home, seq }: Pick<Look, 'home' | 'seq'>,
  idAt: (seq: number) => string | undefined,
): boolean {
  if (known === undefined) return false;
  if (known.home === home) return known.entries.some((entry) => entry.seq > seq);
  return known.entries.some((entry) => idAt(entry.seq) !== entry.id);
}
