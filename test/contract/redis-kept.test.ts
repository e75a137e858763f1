/** A failover that keeps what lives (`redis.onFailover: keep`), where the promoted replica shows that nothing acknowledged is missing. */
import { describe, expect, it } from '@jest/globals';
import type { RedisStoreOptions } from '../../src/store/redis/index.js';
import { StoreUnavailable, type Change, type Store } from '../../src/store/store.js';
import { realClock } from '../support/clock.js';
import { publication } from '../support/publication.js';
import { openStoreAt } from '../support/redis-store.js';
import { following, replicaOf, startRedis, type RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';

const HEAD = 't:{log}!head';
const open = ({ url }: RedisServer, over: Partial<RedisStoreOptions> = {}): Promise<Store> =>
  openStoreAt(url, { replicas: 1, onFailover: 'keep', skewMs: 250, clock: realClock, ...over });

async function pair() {
  const primary = await startRedis();
  const replica = await replicaOf(primary);
  await until(following(replica), 'the replica does not follow');
  const store = await open(primary);
  // An attempt that no replica confirmed in time has written the generation, and the next one finds it.
  const install = async () => store.log.replace((await store.log.look([])).foreign, 'g');
  await until(() => install().catch(() => false), 'the replica does not confirm');
  return { primary, replica, store };
}

const info = async (server: RedisServer, section: string, field: string): Promise<string> =>
  new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(String(await server.send('INFO', section)))?.[1] ?? '';

/** Stamps the log, once the server has run for longer than clocks may differ. */
async function stamped(store: Store, server: RedisServer): Promise<void> {
  await until(async () => Number(await info(server, 'server', 'uptime_in_seconds')) >= 2, 'the server is too new');
  expect((await store.health()).problems).toEqual([]);
}

/** Kills the primary and promotes the replica. Returns a store there, and what it finds. */
async function promoted(primary: RedisServer, replica: RedisServer, over: Partial<RedisStoreOptions> = {}) {
  await primary.kill();
  await replica.send('REPLICAOF', 'NO', 'ONE');
  const store = await open(replica, over);
  return { store, found: await store.log.look([]) };
}

const follow = async (server: RedisServer, primary: RedisServer): Promise<void> => {
  await server.start();
  await server.send('REPLICAOF', '127.0.0.1', primary.port);
  await until(following(server), 'the old primary does not follow');
};

describe('a promoted replica', () => {
  it('G5: that has run all along keeps the generation, and so does the next one, once it was stamped', async () => {
    const { primary, replica, store } = await pair();
    await stamped(store, replica);
    const entry = await store.log.publish(publication());
    const first = await promoted(primary, replica);
    expect(first.found).toMatchObject({ generation: undefined, foreign: 'g', id: entry?.id });
    expect(await first.store.log.adopt({ ...first.found, home: '00ff' }, true)).toBe(false);
    expect(await first.store.log.adopt(first.found, false)).toBe(true); // It shows by itself that it is whole.
    expect(await first.store.log.look([])).toMatchObject({ generation: 'g', id: entry?.id });
    await expect(first.store.log.publish(publication())).rejects.toThrow('too few replicas');

    await follow(primary, replica);
    await stamped(first.store, primary);
    await until(() => first.store.log.publish(publication()).then(Boolean, () => false), 'nothing is confirmed');
    const second = await promoted(replica, primary);
    expect(await second.store.log.adopt(second.found, false)).toBe(true);
    expect(await second.store.log.look([])).toMatchObject({ generation: 'g', seq: 3 });
  });

  it('G5: that came back from an older state on its disk does not, though it continues the history', () =>
    expectReplaced());

  it('G5: nor does it where clocks that were ahead together have stamped the log', () => expectReplaced(600_000));

  /** @param aheadMs how far ahead the clocks were that have stamped the log */
  async function expectReplaced(aheadMs?: number): Promise<void> {
    const { primary, replica, store } = await pair();
    await stamped(store, replica);
    if (aheadMs !== undefined) await primary.send('HSET', HEAD, 'stamped', String(realClock.reading() + aheadMs));
    await until(following(replica), 'the replica does not follow');
    await replica.send('SAVE');
    expect((await store.log.publish(publication()))?.seq).toBe(1);
    await primary.kill();
    await replica.kill();
    await replica.start();
    const { store: there, found } = await promoted(primary, replica);
    expect(found).toMatchObject({ foreign: 'g', seq: 0 });
    expect(await replica.send('HGET', HEAD, 'home')).toBe(await info(replica, 'replication', 'master_replid2'));
    expect(await there.log.adopt(found, true)).toBe(false);
    // Nor does it stamp itself into trust.
    await there.health();
    await until(async () => Number(await info(replica, 'server', 'uptime_in_seconds')) >= 2, 'too new');
    await there.health();
    expect(await there.log.adopt(found, true)).toBe(false);
  }

  it('does not where more could have been promoted, or clocks differ, or what lives is not kept', async () => {
    const { primary, replica, store } = await pair();
    await stamped(store, replica);
    const { found } = await promoted(primary, replica);
    const ahead = { ...realClock, reading: () => realClock.reading() + 10_000 };
    for (const over of [{ replicas: 2 }, { clock: ahead }, { onFailover: 'replace' }] as const) {
      expect(await (await open(replica, over)).log.adopt(found, true)).toBe(false);
    }
    expect(await (await open(replica)).log.adopt(found, true)).toBe(true);
  });
});

describe('where what lives is kept', () => {
  it('a new generation counts once the replica has it, whoever has waited for that', async () => {
    const { primary, replica, store } = await pair();
    await replica.kill();
    await expect(store.log.replace('g', 'g2')).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await store.log.look([])).toMatchObject({ generation: undefined, foreign: 'g2' });
    expect(await store.log.adopt(await store.log.look([]), true)).toBe(false);
    await replica.start();
    await until(following(replica), 'the replica does not follow');
    const other = await open(primary);
    await until(() => other.log.replace('g2', 'g3').catch(() => false), 'the replica does not confirm');
    expect((await store.log.look([])).generation).toBe('g2');
    expect(await replica.send('HGET', HEAD, 'generation')).toBe('g2');
    expect(await store.log.replace('g', 'g4')).toBe(false);
  });

  it('a broker that waits for fewer replicas acknowledges nothing, and one too many is waited for', async () => {
    const { primary, store } = await pair();
    const careless = await open(primary, { replicas: 0, onFailover: 'replace' });
    await expect(careless.log.publish(publication())).rejects.toThrow('other brokers wait for replicas');
    expect((await store.log.look([])).seq).toBe(1);
    expect((await careless.health()).problems).toEqual([
      'The revocation log is kept for 1 replicas, and redis.replicas is 0: docs/high-availability.md',
    ]);

    const another = await replicaOf(primary);
    await until(following(another), 'the second replica does not follow');
    expect((await store.health()).problems).toEqual([
      'Redis has 2 replicas connected, and redis.replicas says that 1 can be promoted',
    ]);
    another.signal('SIGSTOP');
    const second = publication();
    await expect(store.log.publish(second)).rejects.toThrow('too few replicas');
    another.signal('SIGCONT');
    await until(() => store.log.publish(second).then(Boolean, () => false), 'the second replica does not confirm');
  });

  it('what must be durable is on the replica before it is answered, and other records do not wait', async () => {
    const { replica, store } = await pair();
    expect(await store.records.commit({ put: [['aa/1', 'x']], durable: true })).toBe(true);
    expect(await replica.send('GET', 't:{aa}:1')).toBe(' x');
    await replica.kill();
    await expect(store.records.commit({ put: [['aa/2', 'x']], durable: true })).rejects.toThrow('too few replicas');
    expect(await store.records.commit({ put: [['aa/3', 'x']] })).toBe(true);
  });

  it('what was only read becomes durable by expecting it, and keeps its end', async () => {
    const { replica, store } = await pair();
    replica.signal('SIGSTOP');
    const [end, read] = [Date.now() + 60_000, { expect: [['aa/1', 'x']], durable: true } satisfies Change];
    expect(await store.records.commit({ put: [['aa/1', 'x', end]] })).toBe(true);
    await expect(store.records.commit(read)).rejects.toThrow('too few replicas');
    replica.signal('SIGCONT');
    await until(() => store.records.commit(read).catch(() => false), 'the replica does not confirm');
    expect(await replica.send('GET', 't:{aa}:1')).toBe(`${end.toString(36)} x`);
    expect(Number(await replica.send('PTTL', 't:{aa}:1'))).toBeGreaterThan(0);
    expect(await store.records.commit({ ...read, expect: [['aa/1', 'y']] })).toBe(false);
  });
});
