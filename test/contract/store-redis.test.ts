import { randomUUID } from 'node:crypto';
import { beforeAll } from '@jest/globals';
import { openRedis } from '../../src/store/redis/index.js';
import { handClock } from '../support/clock.js';
import { anyRedis } from '../support/redis.js';
import { PLAIN } from '../support/redis-store.js';
import { storeContract } from './store-contract.js';

let url: string;
beforeAll(async () => void (url = await anyRedis()));

storeContract('Redis', async () => {
  const clock = handClock();
  const prefix = `test-${randomUUID()}:`;
  return {
    clock,
    store: await openRedis({ ...PLAIN, place: { url }, prefix, clock }),
  };
});
