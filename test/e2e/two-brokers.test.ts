/** Two brokers on one Redis: what one revokes the other refuses at once, and what both do is done once. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../src/audit/event.js';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

let one: BrokerProcess;
let two: BrokerProcess;

beforeAll(async () => {
  const redis = await startRedis();
  one = await startProcess({ config: { store: redis.url }, env: { MAYFLY_KEY_ENCRYPTION_KEY: 'ab'.repeat(32) } });
  two = await startProcess({
    like: one,
    config: { store: redis.url },
    env: { MAYFLY_KEY_ENCRYPTION_KEY: 'ab'.repeat(32) },
  });
});

const exchanged = async (broker: BrokerProcess, sub: string) =>
  (await broker.exchange(await broker.identity(sub))).body as { access_token: string; task_id: string };
const isActive = async (broker: BrokerProcess, token: string) =>
  ((await broker.introspect(token, await broker.identity('tickets-api'))).body as { active: boolean }).active;

describe('G5: what one broker acknowledged as ended', () => {
  it('is refused by the other at once, every time, when it is a credential', async () => {
    for (let round = 0; round < 15; round += 1) {
      const [here, there] = round % 2 === 0 ? [one, two] : [two, one];
      const { access_token: token } = await exchanged(there, `agent-${round}`);
      expect(await isActive(there, token)).toBe(true);
      const selector = { kind: 'workload', value: `lab:agent-${round}` };
      const reply = await here.post('/revocations', { selector, reason: 'test' }, await here.identity('soc'));
      expect([reply.status, await isActive(there, token)]).toEqual([200, false]);
      const again = await there.exchange(await there.identity(`agent-${round}`));
      expect(again.body).toMatchObject({ error: 'access_denied', retry: 'after-lift' });
    }
  });

  it('cannot be used at the other when it is a task', async () => {
    const { task_id: task, access_token: token } = await exchanged(one, 'worker');
    const boss = await one.identity('orchestrator');
    expect((await two.post(`/tasks/${task}/complete`, { outcome: 'completed' }, boss)).status).toBe(200);
    expect(await isActive(one, token)).toBe(false);
    const renewal = await one.exchange(await one.identity('worker'), { purpose: undefined, task_id: task });
    expect(renewal.body).toMatchObject({ error: 'invalid_grant' });
  });
});

it('G3: the sweeps of both end each task once', async () => {
  const boss = await one.identity('orchestrator');
  const wish = { workload: 'lab:worker', purpose: 'short', deadlineSeconds: 1 };
  const opened = await Promise.all(
    Array.from(
      { length: 30 },
      async (_, n) => (await [one, two][n % 2]?.post('/tasks', wish, boss))?.body as { id: string },
    ),
  );
  const ids = new Set(opened.map(({ id }) => id));
  const soc = await one.identity('soc');
  const endings = async () => {
    const { text } = await one.get('/audit', soc, { accept: 'application/x-ndjson' });
    const events = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEvent);
    return events.filter(({ revocation }) => revocation && ids.has(revocation.selector.value));
  };
  await until(async () => (await endings()).length >= ids.size, 'the tasks were not ended');
  const [before] = [await endings()];
  await until(async () => (await one.operations.get('/health/ready')).status === 200, 'not ready');
  expect([before.length, (await endings()).length]).toEqual([30, 30]);
  expect(new Set(before.map(({ outcome }) => outcome))).toEqual(new Set(['expired']));
});

it('both sign with the same keys, and each verifies what the other signed', async () => {
  expect((await one.get('/jwks')).body).toEqual((await two.get('/jwks')).body);
  expect(await isActive(two, (await exchanged(one, 'signed')).access_token)).toBe(true);
  expect(await isActive(one, (await exchanged(two, 'signed')).access_token)).toBe(true);
});
