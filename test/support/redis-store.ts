/** Stores on a Redis that a test started, closed after each test. */
import { afterEach } from '@jest/globals';
import type { RedisPlace } from '../../src/store/redis/client.js';
import { openRedis, type RedisStoreOptions } from '../../src/store/redis/index.js';
import type { Store } from '../../src/store/store.js';
import { handClock } from './clock.js';

/** What a store on Redis is opened with where a test says nothing else; the place and the clock are each test's own. */
export const PLAIN = {
  replicas: 0,
  onRestart: 'replace',
  onFailover: 'replace',
  skewMs: 5_000,
} as const satisfies Partial<RedisStoreOptions>;

const opened: Store[] = [];
afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));

export const openStoreAt = (url: string, over: Partial<RedisStoreOptions> = {}): Promise<Store> =>
  openStoreIn({ url }, over);

export async function openStoreIn(place: RedisPlace, over: Partial<RedisStoreOptions> = {}): Promise<Store> {
  const store = await openRedis({ ...PLAIN, place, prefix: 't:', clock: handClock(), ...over });
  opened.push(store);
  return store;
}
