/** The names of Redis keys. The shard is the hash tag, so that all of a shard is on one node of a cluster. */
import { shardOfKey } from '../encoding.js';
import type { Key } from '../store.js';

export interface Keys {
  record: (key: Key) => string;
  index: (key: Key) => string;
  head: string;
  tombstones: string;
  entries: string;
  published: (id: string) => string;
}

export function keysUnder(prefix: string): Keys {
  const named = (key: Key, mark: string): string => {
    const shard = shardOfKey(key);
    return `${prefix}{${shard}}${mark}${key.slice(shard.length + 1)}`;
  };
  const log = `${prefix}{log}!`;
  return {
    record: (key) => named(key, ':'),
    index: (key) => named(key, '>'),
    head: `${log}head`,
    tombstones: `${log}tombstones`,
    entries: `${log}entries`,
    published: (id) => `${log}id:${id}`,
  };
}
