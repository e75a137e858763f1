/** What both engines must agree on before a change is looked at: that it lives in one shard and its names fit. */
import type { Change, Key } from './store.js';

/** LMDB takes 1,978 bytes for an index, a score and a member together; Redis does not care. */
const NAME_BYTES_MAX = 900;

export const shardOf = (key: Key): string => key.slice(0, key.indexOf('/'));

/** The shard of a change. Throws when it has two (it could not be atomic on a cluster), none, or a name too long. */
export function shardOfChange(change: Change): string {
  const { expect = [], put = [], remove = [], index = [], unindex = [] } = change;
  const keys = [...remove, ...[expect, put, index, unindex].flatMap((part) => part.map(([key]) => key))];
  const members = [...index, ...unindex].map(([, member]) => member);
  if ([...keys, ...members].some((name) => Buffer.byteLength(name) > NAME_BYTES_MAX))
    throw new Error('a name too long');
  if (keys.some((key) => key.includes('\0'))) throw new Error('a key with NUL');
  const shards = new Set(keys.map(shardOf));
  const [shard] = shards;
  if (shard === undefined || shards.size > 1) throw new Error(`a change lives in one shard, not in ${shards.size}`);
  return shard;
}
