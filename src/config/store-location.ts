/** Where the store is, as one of two kinds, whatever way it was written. */
import { resolve } from 'node:path';
import type { Config } from './schema.js';

export type StoreLocation =
  | { kind: 'lmdb'; directory: string }
  /** Several URLs are the nodes of a Cluster; so is a list of one. */
  | { kind: 'redis'; urls: string[]; cluster: boolean };

/** For a store that the schema has let through. */
export function storeAt(written: Config['store'], directory: string): StoreLocation {
  if (typeof written !== 'string') return { kind: 'redis', urls: written.redis, cluster: true };
  if (!written.startsWith('lmdb:')) return { kind: 'redis', urls: [written], cluster: false };
  return { kind: 'lmdb', directory: resolve(directory, written.slice('lmdb:'.length)) };
}

/** Undefined when one of them is not the URL of a Redis. */
export function redisAt(urls: readonly string[]): StoreLocation | undefined {
  const trimmed = urls.map((url) => url.trim());
  if (!trimmed.every((url) => /^rediss?:\/\//.test(url) && URL.canParse(url))) return undefined;
  return { kind: 'redis', urls: trimmed, cluster: trimmed.length > 1 };
}
