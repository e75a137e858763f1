/** Redis dies, forgets, comes back or fills up under a running broker: nothing revoked returns, and what is unsure is refused. */
import { cpSync, rmSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { temporaryDirectory } from '../support/directory.js';
import { startRedis, type RedisServer, type Settings } from '../support/redis.js';
import { DEAD, expectNeverActive } from '../support/never-active.js';
import { canMount, smallDisk } from '../support/small-disk.js';
import { until } from '../support/until.js';

const TRUST = { onRestart: 'trust', seenDirectory: './seen' };
const KEY = { MAYFLY_KEY_ENCRYPTION_KEY: 'ab'.repeat(32) };

interface Scene {
  redis: RedisServer;
  broker: BrokerProcess;
  alive: string;
  revoked: string;
  api: string;
  soc: string;
}

async function scene(settings: Settings = {}, redisConfig: object = {}): Promise<Scene> {
  const redis = await startRedis(settings);
  const broker = await startProcess({ config: { store: redis.url, redis: redisConfig }, env: KEY });
  const [alive, revoked] = [await exchanged(broker, 'agent-7'), await exchanged(broker, 'agent-8')];
  const [api, soc] = [await broker.identity('tickets-api'), await broker.identity('soc')];
  expect((await revoke(broker, soc, 'lab:agent-8')).status).toBe(200);
  return { redis, broker, alive, revoked, api, soc };
}

const exchanged = async (broker: BrokerProcess, sub: string) =>
  ((await broker.exchange(await broker.identity(sub))).body as { access_token: string }).access_token;
const revoke = (broker: BrokerProcess, soc: string, value: string) =>
  broker.post('/revocations', { selector: { kind: 'workload', value }, reason: 'test', unseen: true }, soc);
const isActive = async ({ broker, api }: Scene, token: string) => (await broker.introspect(token, api)).body as object;
const ready = ({ broker }: Scene) => until(() => broker.isReady(), 'the broker did not recover');

describe('Redis is killed', () => {
  it('G6: while it is away nothing is granted or active and readiness says so; G5: back without its data, everything older is dead', async () => {
    const here = await scene();
    const { redis, broker, alive, revoked } = here;
    await redis.kill();
    for (const reply of [
      await broker.exchange(await broker.identity('agent-7')),
      await broker.introspect(alive, here.api),
      await revoke(broker, here.soc, 'lab:agent-7'),
    ]) {
      expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1']);
    }
    expect((await broker.operations.get('/health/ready')).status).toBe(503);
    expect((await broker.operations.get('/health/live')).status).toBe(200);

    await expectNeverActive(
      here,
      revoked,
      redis.start().then(() => ready(here)),
    );
    expect([await isActive(here, alive), await isActive(here, revoked)]).toEqual([DEAD, DEAD]);
    expect(await isActive(here, await exchanged(broker, 'agent-7'))).toMatchObject({ active: true });
  });

  it('G5: with every write on disk and onRestart "trust", the living live on, the revoked stay dead, and a restored backup revives nothing', async () => {
    const dir = temporaryDirectory();
    const durable = { appendonly: 'yes', appendfsync: 'always', dir };
    const here = await scene(durable, TRUST);
    const { redis, broker, alive, revoked, api, soc } = here;
    await redis.kill();
    await expectNeverActive(
      here,
      revoked,
      redis.start().then(() => ready(here)),
    );
    expect([await isActive(here, alive), await isActive(here, revoked)]).toEqual([
      expect.objectContaining({ active: true }),
      DEAD,
    ]);
    const held = await broker.exchange(await broker.identity('agent-8'));
    expect(held.body).toMatchObject({ error: 'access_denied', retry: 'after-lift' });

    const backup = temporaryDirectory();
    cpSync(dir, backup, { recursive: true });
    expect((await revoke(broker, soc, 'lab:agent-7')).status).toBe(200);
    await broker.kill();
    await redis.stop();
    rmSync(dir, { recursive: true });
    cpSync(backup, dir, { recursive: true });
    await redis.start();
    await broker.start('live');
    await expectNeverActive({ broker, api }, alive, ready(here));
  });
});

it('G5: FLUSHALL under a running broker kills everything, and revives nothing', async () => {
  const here = await scene();
  await expectNeverActive(here, here.revoked, here.redis.send('FLUSHALL'));
  expect([await isActive(here, here.alive), await isActive(here, here.revoked)]).toEqual([DEAD, DEAD]);
  await ready(here);
  await until(async () => {
    const token = await exchanged(here.broker, 'agent-7');
    return ((await isActive(here, token)) as { active: boolean }).active;
  }, 'nothing new lives');
});

it('G6: a full Redis mints nothing, and still takes revocations that hold at once', async () => {
  const here = await scene();
  const { redis, broker, alive, soc } = here;
  await redis.send('CONFIG', 'SET', 'maxmemory', '100kb');
  expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(503);
  const { status, body } = await revoke(broker, soc, 'lab:agent-7');
  expect([status, (body as { effect: string }).effect]).toEqual([200, 'hold']);
  expect(await isActive(here, alive)).toEqual(DEAD);
  expect((await broker.operations.get('/health/ready')).status).toBe(503);
  await redis.send('CONFIG', 'SET', 'maxmemory', '0');
  await ready(here);
  expect(await isActive(here, await exchanged(broker, 'agent-9'))).toMatchObject({ active: true });
  expect(await isActive(here, alive)).toEqual(DEAD);
});

describe('the disk of Redis is full', () => {
  // A limit for the size of files stops a Redis in another way than a full disk does.
  if (!canMount()) console.warn('Left out, because this user may not mount a tmpfs: a Redis whose disk is full.');

  (canMount() ? it : it.skip).each([
    ['everysec', 'it refuses every write', /MISCONF: it cannot write to its disk/, /^wrong store: Redis .* disk/],
    ['always', 'it ends itself', /nothing listens|no connection/, /nothing listens there/],
  ])(
    'G6: with appendfsync %s %s: all is refused and says why, and what was acknowledged holds afterwards',
    async (appendfsync, _, why, wrong) => {
      const disk = smallDisk(8 * 1024 * 1024);
      if (!disk) throw new Error('nothing can be mounted any more');
      const here = await scene({ appendonly: 'yes', appendfsync, dir: disk.directory }, TRUST);
      const { redis, broker, alive, revoked, soc } = here;
      disk.fill(redis.pid());
      const acknowledged: string[] = [];
      for (let n = 0; ; n += 1) {
        const { status } = await revoke(broker, soc, `lab:full-${n}`);
        if (status === 503) break;
        acknowledged.push(`full-${n}`);
      }
      await until(async () => !(await broker.isReady()), 'the broker is still ready');
      for (const reply of [
        await broker.exchange(await broker.identity('agent-7')),
        await broker.introspect(alive, here.api),
        await revoke(broker, soc, 'lab:agent-7'),
      ]) {
        expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1']);
      }
      expect((await broker.operations.get('/health/live')).status).toBe(200);
      const ordered = broker.mayfly('revocations', 'revoke', 'workload', 'lab:agent-7', '--reason', 'stolen');
      expect(ordered).toEqual({ ended: 1, said: expect.stringMatching(why) });
      expect(broker.mayfly('doctor')).toEqual({ ended: 1, said: expect.stringMatching(wrong) });

      disk.free(redis.pid());
      if (appendfsync === 'always') await redis.start();
      await ready(here);
      expect([await isActive(here, alive), await isActive(here, revoked)]).toEqual([
        expect.objectContaining({ active: true }),
        DEAD,
      ]);
      for (const sub of acknowledged)
        expect((await broker.exchange(await broker.identity(sub))).body).toMatchObject({ retry: 'after-lift' });
      expect((await revoke(broker, soc, 'lab:agent-7')).status).toBe(200);
      expect(await isActive(here, alive)).toEqual(DEAD);
    },
  );
});
