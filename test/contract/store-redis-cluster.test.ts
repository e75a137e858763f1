import { randomUUID } from 'node:crypto';
import { beforeAll } from '@jest/globals';
import { openRedis } from '../../src/store/redis/index.js';
import { handClock } from '../support/clock.js';
import { startCluster, type RedisCluster } from '../support/redis.js';
import { PLAIN } from '../support/redis-store.js';
import { storeContract } from './store-contract.js';

let cluster: RedisCluster;
beforeAll(async () => void (cluster = await startCluster()));

storeContract('Redis Cluster', async () => {
  const clock = handClock();
  const prefix = `test-${randomUUID()}:`;
  return {
    clock,
    store: await openRedis({ ...PLAIN, place: { nodes: cluster.urls }, prefix, clock }),
  };
});
