/** Opens the store that the configuration names. */
import type { Config } from '../config/schema.js';
import type { StoreLocation } from '../config/store-location.js';
import { defined } from '../domain/defined.js';
import type { SystemClock } from '../domain/time.js';
import { openSeenDirectory, type SeenDirectory } from '../ledger/seen-directory.js';
import type { RedisPlace } from '../store/redis/client.js';
import type { RedisStoreOptions } from '../store/redis/index.js';
import type { Store } from '../store/store.js';

interface StoreSelection {
  store: StoreLocation;
  config: { redis: Omit<Config['redis'], 'seenDirectory'>; lifetimes: Pick<Config['lifetimes'], 'clockSkew'> };
  clock: SystemClock;
  role: 'broker' | 'tool';
}

/** Only the engine that is asked for is loaded: a tool that runs for a second should not wait for the other. */
export async function openStore({ store, config, clock, role }: StoreSelection): Promise<Store> {
  if (store.kind === 'lmdb') {
    const { openLmdb } = await import('../store/lmdb.js');
    return openLmdb({ directory: store.directory, clock, role });
  }
  const { openRedis } = await import('../store/redis/index.js');
  return openRedis(redisOptions({ store, config, clock }));
}

interface RedisSelection extends Omit<StoreSelection, 'role'> {
  store: Extract<StoreLocation, { kind: 'redis' }>;
}

export function redisOptions({ store, config, clock }: RedisSelection): RedisStoreOptions {
  const { ca, prefix, replicas, onRestart, onFailover } = config.redis;
  const skewMs = config.lifetimes.clockSkew * 1000;
  return {
    prefix,
    replicas,
    onRestart,
    onFailover,
    skewMs,
    place: placeOf(store),
    access: defined({ ...store.login, ca }),
    clock,
  };
}

/** Opens what this host has seen of the log, where the configuration says that it is kept. */
export const openSeen = ({ seenDirectory }: Config['redis']): Promise<SeenDirectory | undefined> =>
  seenDirectory === undefined ? Promise.resolve(undefined) : openSeenDirectory(seenDirectory);

function placeOf(store: Extract<StoreLocation, { kind: 'redis' }>): RedisPlace {
  if ('sentinels' in store) return store;
  return store.cluster ? { nodes: store.urls } : { url: store.urls.join() };
}
