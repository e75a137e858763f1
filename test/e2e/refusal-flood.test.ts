/**
 * Ten identities without any right attack a broker on a Redis of 64 MB with refusals of every kind. Grants and revocations go
 * on, and the store grows by less than a bound that has nothing to do with the number of requests.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startProcess, TICKETS, type BrokerProcess } from '../support/brokers/process.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';

const MEGABYTE = 1024 * 1024;
const REQUESTS = 1_500;
const ATTACKERS = 10;
const GROWTH_MOST = 0.75 * MEGABYTE;
const PATIENCE_MS = 240_000;

let redis: RedisServer;
let broker: BrokerProcess;
let soc: string;
let task: string;
let token: string;

beforeAll(async () => {
  redis = await startRedis({ maxmemory: '64mb', 'maxmemory-policy': 'noeviction' });
  broker = await startProcess({ config: { store: redis.url } });
  soc = await broker.identity('soc');
  const issued = (await broker.exchange(await broker.identity('agent-7'))).body as Record<string, string>;
  [task, token] = [issued['task_id'] ?? '', issued['access_token'] ?? ''];
});

async function usedBytes(): Promise<number> {
  const [, used] = /used_memory:(\d+)/.exec(String(await redis.send('INFO', 'memory'))) ?? [];
  return Number(used);
}

/** As many pairs of path and action as a request may name, each as long as a path may be. */
const wide = JSON.stringify(
  Array.from({ length: 32 }, (_, i) => ({
    type: 'task_access',
    locations: [TICKETS],
    identifier: `${String(i).padStart(3, '0')}/${'x'.repeat(250)}`,
    actions: ['read'],
  })),
);

const everything = { selector: { kind: 'all' }, reason: 'x'.repeat(500) };
const ATTACKS: ((who: string) => Promise<{ status: number; body: unknown }>)[] = [
  (who) => broker.post('/revocations', everything, who),
  (who) => broker.post('/revocations', { ...everything, dryRun: true }, who),
  (who) => broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, who),
  (who) => broker.post(`/tasks/${task}/suspend`, {}, who),
  (who) => broker.post(`/tasks/${task}/heartbeat`, {}, who),
  (who) => broker.post('/tasks', { workload: 'lab:agent-7', purpose: 'x'.repeat(256) }, who),
  (who) => broker.exchange(who, { scope: undefined, authorization_details: wide }),
  (who) => broker.exchange(who, { resource: `https://${'x'.repeat(200)}.example` }),
  (who) => broker.introspect('junk', who),
  (who) => broker.introspect(token, who),
  (who) => broker.get('/audit', who),
];

const tokens = new Map<string, Promise<string>>();
function tokenOf(sub: string): Promise<string> {
  const known = tokens.get(sub) ?? broker.identity(sub, { team: 'none' });
  tokens.set(sub, known);
  return known;
}

async function attack(name: number, requests: number): Promise<void> {
  for (let i = 0; i < requests; i += 1) {
    // Whoever may push a branch has one more name.
    const sub = name % 2 === 0 ? `attacker-${name}` : `repo:org/app:ref:refs/heads/${name}-${i % 50}`;
    const who = await tokenOf(sub);
    const { status, body } = await ATTACKS[i % ATTACKS.length]!(who);
    const isRefused = status >= 400 || (body as { active?: boolean }).active === false;
    expect([sub, i, isRefused]).toEqual([sub, i, true]);
    if (i % 100 === 99) await expectWork();
  }
}

async function expectWork(): Promise<void> {
  expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(200);
  const ended = { selector: { kind: 'workload', value: 'lab:agent-8' }, effect: 'cutoff', reason: 'x', unseen: true };
  expect((await broker.post('/revocations', ended, soc)).status).toBe(200);
}

const refusals = async () =>
  ((await broker.get('/audit?type=operation.refused&limit=1000', soc)).body as { lines: string[] }).lines.length;

describe('a flood of refusals on a small store', () => {
  it(
    'takes less than a bound, while grants and revocations go on',
    async () => {
      await attack(0, ATTACKS.length); // Whatever is made once is made before the measurement.
      const before = await usedBytes();
      await Promise.all(Array.from({ length: ATTACKERS }, (_, name) => attack(name, REQUESTS / ATTACKERS)));
      expect((await usedBytes()) - before).toBeLessThan(GROWTH_MOST);
    },
    PATIENCE_MS,
  );

  it(
    'writes nothing once the store is four fifths full: what is left is for grants and endings',
    async () => {
      for (let i = 0; (await usedBytes()) < 0.82 * 64 * MEGABYTE; i += 1) {
        await redis.send('SET', `ballast-${i}`, 'x'.repeat(MEGABYTE / 2));
      }
      await until(async () => {
        const already = await refusals();
        for (let name = 0; name < 3; name += 1) await attack(100 + name, ATTACKS.length);
        return (await refusals()) === already;
      }, 'refusals are still entered');
      await expectWork();
    },
    PATIENCE_MS,
  );
});
