/** Picks the store that the configuration names. */
import { resolve } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Clock } from '../domain/time.js';
import { openLmdb } from './lmdb.js';
import { openRedis } from './redis/index.js';
import type { Store } from './store.js';

export interface StoreSelection extends Pick<Config, 'store' | 'redis'> {
  clock: Clock;
  role: 'broker' | 'tool';
  /** What relative directories are relative to: where the configuration file lies. */
  baseDirectory: string;
}

export function openStore({ store, redis, clock, role, baseDirectory }: StoreSelection): Promise<Store> {
  if (typeof store !== 'string') return openRedis({ nodes: store.redis, ...redis, clock });
  if (!store.startsWith('lmdb:')) return openRedis({ url: store, ...redis, clock });
  return openLmdb({ directory: resolve(baseDirectory, store.slice('lmdb:'.length)), clock, role });
}
