/** The location of the store, as one of two kinds, whichever way it is written. */
import { resolve } from 'node:path';
import type { Config } from './schema.js';

export type StoreLocation = { kind: 'lmdb'; directory: string } | (RedisLocation & { login?: RedisLogin });

type RedisLocation =
  /** `cluster`: the URLs are nodes of a Redis Cluster, of which one is enough to find the others. */
  | { kind: 'redis'; urls: string[]; cluster: boolean }
  /** Sentinels (`host:port`) know where the primary of this name is. */
  | { kind: 'redis'; sentinels: string[]; name: string; tls: boolean };

/** What a URL does not say of who connects. Sentinels have users of their own. */
export interface RedisLogin {
  username?: string;
  password?: string;
  sentinelUsername?: string;
  sentinelPassword?: string;
}

/** Returns the location of a store that the schema has accepted. */
export function storeAt(written: Config['store'], directory: string): StoreLocation {
  if (typeof written !== 'string') {
    if ('redis' in written) return { kind: 'redis', urls: written.redis, cluster: true };
    return { kind: 'redis', sentinels: written.sentinel, name: written.name, tls: written.tls };
  }
  if (!written.startsWith('lmdb:')) return { kind: 'redis', urls: [written], cluster: false };
  return { kind: 'lmdb', directory: resolve(directory, written.slice('lmdb:'.length)) };
}

/** Returns the location of a Redis, or with several URLs of a Cluster; undefined when one of them is not a Redis URL. */
export function redisAt(urls: readonly string[]): StoreLocation | undefined {
  const trimmed = urls.map((url) => url.trim());
  if (!trimmed.every((url) => /^rediss?:\/\//.test(url) && URL.canParse(url))) return undefined;
  return { kind: 'redis', urls: trimmed, cluster: trimmed.length > 1 };
}
