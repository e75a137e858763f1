/** Opens the store that the configuration names. */
import type { Config } from '../config/schema.js';
import type { StoreLocation } from '../config/store-location.js';
import type { SystemClock } from '../domain/time.js';
import { openLmdb } from '../store/lmdb.js';
import { openRedis } from '../store/redis/index.js';
import type { Store } from '../store/store.js';

interface StoreSelection {
  store: StoreLocation;
  redis: Config['redis'];
  clock: SystemClock;
  role: 'broker' | 'tool';
}

export function openStore({ store, redis, clock, role }: StoreSelection): Promise<Store> {
  if (store.kind === 'lmdb') return openLmdb({ directory: store.directory, clock, role });
  const where = store.cluster ? { nodes: store.urls } : { url: store.urls.join() };
  return openRedis({ ...where, ...redis, clock });
}
