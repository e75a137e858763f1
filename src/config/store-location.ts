/** The location of the store, as one of two kinds, whichever way it is written. */
import { resolve } from 'node:path';
import type { Config } from './schema.js';

export type StoreLocation =
  | { kind: 'lmdb'; directory: string }
  /** `cluster`: the URLs are nodes of a Redis Cluster, of which one is enough to find the others. */
  | { kind: 'redis'; urls: string[]; cluster: boolean };

/** Returns the location of a store that the schema has accepted. */
export function storeAt(written: Config['store'], directory: string): StoreLocation {
  if (typeof written !== 'string') return { kind: 'redis', urls: written.redis, cluster: true };
  if (!written.startsWith('lmdb:')) return { kind: 'redis', urls: [written], cluster: false };
  return { kind: 'lmdb', directory: resolve(directory, written.slice('lmdb:'.length)) };
}

/** Returns the location of a Redis, or with several URLs of a Cluster; undefined when one of them is not a Redis URL. */
export function redisAt(urls: readonly string[]): StoreLocation | undefined {
  const trimmed = urls.map((url) => url.trim());
  if (!trimmed.every((url) => /^rediss?:\/\//.test(url) && URL.canParse(url))) return undefined;
  return { kind: 'redis', urls: trimmed, cluster: trimmed.length > 1 };
}
