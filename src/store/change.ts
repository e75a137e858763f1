/** What both engines must agree on before a change is looked at: that it lives in one shard. */
import type { Change, Key } from './store.js';

export const shardOf = (key: Key): string => key.slice(0, key.indexOf('/'));

/** The shard of a change. Throws if it has two (it could not be atomic on a cluster) or none. */
export function shardOfChange(change: Change): string {
  const shards = new Set(keysOf(change).map(shardOf));
  const [shard] = shards;
  if (shard === undefined || shards.size > 1) throw new Error(`a change lives in one shard, not in ${shards.size}`);
  return shard;
}

function keysOf({ expect = [], put = [], remove = [], index = [], unindex = [] }: Change): Key[] {
  return [...[expect, put, index, unindex].flatMap((part) => part.map(([key]) => key)), ...remove];
}
