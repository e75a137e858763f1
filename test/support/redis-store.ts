/** Stores on a Redis that a test started, closed after each test. */
import { afterEach } from '@jest/globals';
import { openRedis, type RedisStoreOptions } from '../../src/store/redis/index.js';
import type { Store } from '../../src/store/store.js';
import { handClock } from './clock.js';

const opened: Store[] = [];
afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));

export async function openStoreAt(url: string, over: Partial<RedisStoreOptions> = {}): Promise<Store> {
  const store = await openRedis({
    place: { url },
    prefix: 't:',
    replicas: 0,
    onRestart: 'replace',
    onFailover: 'replace',
    skewMs: 5_000,
    clock: handClock(),
    ...over,
  });
  opened.push(store);
  return store;
}
