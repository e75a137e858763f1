/** A Redis that is no longer the primary, and one whose host has vanished: the store finds the new primary behind its address. */
import { describe, expect, it } from '@jest/globals';
import { StoreUnavailable, type Store } from '../../src/store/store.js';
import { startAddress } from '../support/address.js';
import { publication } from '../support/publication.js';
import { openStoreAt } from '../support/redis-store.js';
import { following, replicaOf, startRedis, type RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';

async function pair(): Promise<[RedisServer, RedisServer]> {
  const first = await startRedis();
  const second = await replicaOf(first);
  await until(following(second), 'does not follow');
  return [first, second];
}

/** As an operator or an orchestrator moves the primary: both servers live on, with their roles changed. */
async function swap(first: RedisServer, second: RedisServer): Promise<void> {
  await second.send('REPLICAOF', 'NO', 'ONE');
  await first.send('REPLICAOF', '127.0.0.1', second.port);
  await until(following(first), 'the old primary does not follow');
}

const looks = (store: Store) => () => store.log.look([]).then(() => true, () => false); // prettier-ignore

describe('one address behind which the primary changes', () => {
  it('leads to the new primary, on every connection, though the old one answers on', async () => {
    const [first, second] = await pair();
    const address = await startAddress(first.port);
    const store = await openStoreAt(address.url, { replicas: 1 });
    await until(() => store.log.publish(publication()).then(Boolean, () => false), 'no replica confirms');
    await swap(first, second);
    address.leadTo(second.port);
    await until(looks(store), 'the store stays on the old primary');
    // The first publication after the change must not be the one that finds out.
    await until(async () => (await store.health()).problems.length === 0, 'no replica');
    const known = publication();
    await until(() => store.log.publish(known).then(Boolean, () => false), 'the publication is not confirmed');
    expect(await second.send('HGET', 't:{log}!head', 'seq')).toBe('2');
  });

  it('leads to the new primary where the host of the old one has vanished', async () => {
    const [first, second] = await pair();
    const address = await startAddress(first.port);
    const store = await openStoreAt(address.url);
    address.vanish();
    address.leadTo(second.port);
    await second.send('REPLICAOF', 'NO', 'ONE');
    await until(looks(store), 'the store waits for a host that is gone');
  });
});

describe('a replica', () => {
  it('that takes writes takes no publication and vouches for nothing', async () => {
    const [server, other] = [await startRedis({ 'replica-read-only': 'no' }), await startRedis()];
    const store = await openStoreAt(server.url);
    await server.send('REPLICAOF', '127.0.0.1', other.port);
    await until(following(server), 'does not follow');
    const asked = [store.log.look([]), store.log.publish(publication()), store.log.replace(undefined, 'g')];
    for (const result of await Promise.allSettled(asked))
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailable) });
  });

  it('is named as one in the health of the store', async () => {
    const [first, second] = await pair();
    const store = await openStoreAt(first.url);
    expect((await store.health()).isReplica).toBe(false);
    await swap(first, second);
    await until(async () => (await store.health().catch(() => undefined))?.isReplica === true, 'not named');
  });
});
