/** The feed over a real Redis: several brokers, a store that stalls or loses its log, and many publications at once. */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { handClock } from '../support/clock.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { follow, type FeedReader } from '../support/feed-reader.js';
import { publication } from '../support/publication.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { openStoreAt } from '../support/redis-store.js';
import { until } from '../support/until.js';

const policies = `
@id("verifiers-follow") permit (principal == Workload::"lab:verifier", action == Action::"followFeed", resource);`;

let redis: RedisServer;
let broker: TestBroker;
beforeAll(async () => {
  redis = await startRedis();
});
beforeEach(async () => {
  broker = await startBroker({ redisUrl: redis.url, policies });
});

const listen = async (at = broker, lastEventId?: string): Promise<FeedReader> => {
  const reader = await follow({ url: at.url, bearer: await broker.identity('verifier'), lastEventId });
  await reader.hears('heartbeat');
  return reader;
};
const prefix = () => (parse(readFileSync(broker.configFile, 'utf8')) as { redis: { prefix: string } }).redis.prefix;
const revoke = async (at: TestBroker, value: string) =>
  at.post(
    '/revocations',
    { selector: { kind: 'workload', value }, reason: 'x', unseen: true },
    await broker.identity('soc'),
  );
const heartbeats = ({ heard }: FeedReader) => heard.filter(({ event }) => event === 'heartbeat').length;

describe('two brokers', () => {
  it('what one publishes is heard at the other by itself, and a verifier goes on there when the first ends', async () => {
    const other = await broker.beside(handClock(Date.now()));
    const [here, there] = [await listen(), await listen(other)];
    await revoke(broker, 'lab:a');
    await revoke(other, 'lab:b');
    for (const reader of [here, there]) await until(() => reader.applied()?.seq === 2, 'both were not heard');
    await broker.close();
    expect(await here.hears('end')).toEqual({ reason: 'closing' });
    await revoke(other, 'lab:c');
    const again = await listen(other, here.lastId());
    expect(again.heard.map(({ event }) => event)).toEqual(['hello', 'revocation', 'heartbeat']);
    for (const reader of [there, again]) reader.leave();
  });
});

describe('a store that stalls', () => {
  it('lets nobody hear a heartbeat, although the broker goes on; afterwards it goes on without a hole', async () => {
    const reader = await listen();
    const before = heartbeats(reader);
    redis.signal('SIGSTOP');
    try {
      for (let i = 0; i < 2; i += 1) await broker.work('feed').catch(() => undefined);
      expect(heartbeats(reader)).toBe(before);
    } finally {
      redis.signal('SIGCONT');
    }
    await until(async () => (await revoke(broker, 'lab:a')).status === 200, 'revoking does not go on');
    await until(() => broker.work('feed').then(() => true, () => false), 'looking does not go on'); // prettier-ignore
    await until(() => heartbeats(reader) > before, 'no heartbeat');
    expect(reader.applied()?.seq).toBeGreaterThan(0);
    reader.leave();
  });
});

describe('a log that is replaced under its readers', () => {
  it('begins anew: a snapshot of another generation, and nothing of before is believed', async () => {
    await revoke(broker, 'lab:a');
    const reader = await listen();
    const { generation } = reader.applied() ?? {};
    await redis.send('FLUSHALL');
    const heard = reader.heard.length;
    await broker.work('feed');
    await reader.hears('heartbeat', heard);
    expect(reader.heard.slice(heard).map(({ event }) => event)).toContain('snapshot');
    expect(reader.applied()?.generation).not.toBe(generation);
    reader.leave();
  });

  it('also where its entries are trimmed further than a verifier has heard', async () => {
    for (let i = 0; i < 5; i += 1) await revoke(broker, `lab:${i}`);
    const reader = await listen();
    const { generation } = reader.applied() ?? {};
    reader.leave();
    await redis.send('XTRIM', `${prefix()}{log}!entries`, 'MAXLEN', 2);
    const other = await broker.beside(handClock(Date.now()));
    const events = async (seq: number) => (await listen(other, `${generation}.${seq}`)).heard.map(({ event }) => event);
    expect(await events(1)).toContain('complete');
    expect(await events(5)).toEqual(['hello', 'heartbeat']);
  });
});

it('ten thousand publications at once reach every verifier without a hole', async () => {
  const readers = [await listen(), await listen(), await listen()];
  const store = await openStoreAt(redis.url, { prefix: prefix() });
  const many = 10_000;
  for (let done = 0; done < many; done += 500)
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => store.log.publish(publication({ workload: `w${done + i}` }))),
    );
  for (const reader of readers) {
    // The reader itself fails on a hole.
    await until(() => reader.applied()?.seq === many, `applied ${reader.applied()?.seq}`);
    reader.leave();
  }
});
