/** What was handed on, when the revocation log has another generation: brokers and Redis are processes that end and start again. */
import { cpSync, rmSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { temporaryDirectory } from '../support/directory.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';
import { handingOn } from '../support/handing-on.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const KEY = { MAYFLY_KEY_ENCRYPTION_KEY: 'ab'.repeat(32) };
const REVOKED = /^The subject token is a credential that has been revoked\.$/;
const NO_RECORD = /^The subject token is no valid credential of this broker\.$/;

interface Granted {
  access_token: string;
  task_id: string;
}

async function scene(redisConfig: object = {}) {
  const dir = temporaryDirectory();
  const redis = await startRedis({ appendonly: 'yes', appendfsync: 'always', dir });
  const broker = await startProcess({ config: { store: redis.url, redis: redisConfig }, env: KEY });
  const first = (await broker.exchange(await broker.identity('planner'))).body as Granted;
  const second = (await handOn(broker, first)).body as Granted;
  return { dir, redis, broker, first, second };
}

const handOn = async (broker: BrokerProcess, { access_token: token }: Granted) =>
  broker.exchange(token, handingOn(await broker.identity('scout')));

const renew = async (broker: BrokerProcess, { task_id }: Granted) =>
  broker.exchange(await broker.identity('scout'), { task_id, purpose: undefined });

const isActive = async (broker: BrokerProcess, { access_token: token }: Granted) =>
  ((await broker.introspect(token, await broker.identity('tickets-api'))).body as { active: boolean }).active;

/** Neither the first nor what was handed on by it may be used, renewed or handed on. Something new may. */
async function expectAllDead(
  { broker, first, second }: Awaited<ReturnType<typeof scene>>,
  why: RegExp,
  renewing: RegExp,
) {
  await until(() => broker.isReady(), 'the broker did not recover');
  for (const one of [first, second]) {
    expect(await isActive(broker, one)).toBe(false);
    const actor = handingOn(await broker.identity('clerk'));
    expectOAuthRefusal(await broker.exchange(one.access_token, actor), 400, 'invalid_request', why);
  }
  expectOAuthRefusal(await renew(broker, second), 400, 'invalid_grant', renewing);
  const fresh = (await broker.exchange(await broker.identity('planner'))).body as Granted;
  expect(await isActive(broker, (await handOn(broker, fresh)).body as Granted)).toBe(true);
}

it('G5: after a restart that may have lost what was written last, nothing of before is handed on, and nothing handed on before lives', async () => {
  const here = await scene();
  const { redis, broker, second } = here;
  expect((await renew(broker, second)).status).toBe(200);
  await broker.kill();
  await redis.stop();
  await redis.start();
  await broker.start();
  await expectAllDead(here, REVOKED, /^The task has ended: revoked\.$/);
});

it('what was handed on lives on after a restart that lost nothing', async () => {
  const { redis, broker, first, second } = await scene({ onRestart: 'trust', seenDirectory: './seen' });
  await broker.kill();
  await redis.kill();
  await redis.start();
  await broker.start();
  expect([await isActive(broker, second), (await renew(broker, second)).status]).toEqual([true, 200]);
  expect((await handOn(broker, first)).status).toBe(200);
});

it('G5: a restored backup revives nothing that was handed on, and hands on nothing that was revoked since', async () => {
  const here = await scene({ onRestart: 'trust', seenDirectory: './seen' });
  const { dir, redis, broker, first } = here;
  const backup = temporaryDirectory();
  cpSync(dir, backup, { recursive: true });
  const { status } = await broker.form(
    '/revoke',
    { token: first.access_token },
    { authorization: `Bearer ${await broker.identity('planner')}` },
  );
  expect(status).toBe(200);
  await broker.kill();
  await redis.stop();
  rmSync(dir, { recursive: true });
  cpSync(backup, dir, { recursive: true });
  await redis.start();
  await broker.start('live');
  await expectAllDead(here, REVOKED, /^The task has ended: revoked\.$/);
});

it('G5: with an empty store there is no such credential', async () => {
  const here = await scene();
  const { dir, redis, broker } = here;
  await broker.kill();
  await redis.kill();
  rmSync(dir, { recursive: true });
  cpSync(temporaryDirectory(), dir, { recursive: true });
  await redis.start();
  await broker.start('live');
  await expectAllDead(here, NO_RECORD, /^No open task of this workload has that id\.$/);
});
