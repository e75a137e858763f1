/**
 * Ids: a prefix and 16 lower-case base32 characters. The first two are the shard, the other 14 are 70 random bits. The shard
 * of a root task is random, and everything below the task has the same one. So an id leads to its record without a lookup.
 */
import { randomFillSync } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const SHARD_COUNT = 64;
/** What stands behind the prefix, as a pattern. */
export const ID_BODY = '[ab][a-z2-7]{15}';
const SHARD_CHARACTERS = 2;
const ID = new RegExp(`^(tsk|crd|apr|dec|rev|sig|drl)_(${ID_BODY})$`);

type IdPrefix = 'tsk' | 'crd' | 'apr' | 'dec' | 'rev' | 'sig' | 'drl';
export type Shard = string;

/** All shards, in order: `aa` … `b7`. */
export const SHARDS: readonly Shard[] = Array.from({ length: SHARD_COUNT }, (_, index) => shardAt(index));

/** @param drawn At least 15 bytes to use instead of random ones, where the same input must always give the same id. */
export function newId(prefix: IdPrefix, shard?: Shard, drawn?: Uint8Array): string {
  const [first = 0, ...rest] = (drawn ?? draw()).subarray(0, BYTES_AN_ID);
  let random = '';
  for (const byte of rest) random += ALPHABET[byte & 31] ?? '';
  return `${prefix}_${shard ?? shardAt(first & 63)}${random}`;
}

export const isId = (prefix: IdPrefix, text: string): boolean => ID.exec(text)?.[1] === prefix;

/** Returns the shard of a well-formed id, and throws for anything else. */
export function shardOf(id: string): Shard {
  const body = ID.exec(id)?.[2];
  if (body === undefined) throw new Error('not an id');
  return body.slice(0, SHARD_CHARACTERS);
}

/** Returns the shard of a record that is found by a digest, such as that of an Idempotency-Key. */
export const shardOfDigest = (digest: Uint8Array): Shard => shardAt((digest[0] ?? 0) % SHARD_COUNT);

/**
 * Returns random bytes for one id. They come from a pool, because one system call an id costs more than the rest of it. No
 * byte is used twice.
 */
function draw(): Uint8Array {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  drawn += BYTES_AN_ID;
  return pool.subarray(drawn - BYTES_AN_ID, drawn);
}

const BYTES_AN_ID = 15;
const pool = Buffer.alloc(BYTES_AN_ID * 256);
let drawn = pool.length;

function shardAt(index: number): Shard {
  return `${ALPHABET[index >> 5] ?? ''}${ALPHABET[index & 31] ?? ''}`;
}
