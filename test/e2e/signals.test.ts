/** Signals and real processes: killed between the 202 and the reaction, over a store that restarts, and two on one Redis. */
import { describe, expect, it } from '@jest/globals';
import { realClock } from '../support/clock.js';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { audited, push } from '../support/brokers/signals.js';
import { createTransmitter, workload, type Transmitter } from '../support/issuers/transmitter.js';

const HOLD = { name: 'hold', event: 'session-revoked', do: 'hold', covers: 'workload' };
const KEY = { MAYFLY_KEY_ENCRYPTION_KEY: 'ab'.repeat(32) };

async function setting(store?: string) {
  const idp = await createTransmitter('idp', realClock, { about: ['lab'], perMinute: 100_000 });
  const signals = { transmitters: [idp.config], reactions: [HOLD], maxPartiesPerMinute: 'unlimited' };
  const config = { signals, ...(store !== undefined && { store }) };
  return { idp, config, broker: await startProcess({ config, env: KEY }) };
}

/** Pushes over many connections until it is stopped. Returns the agents whose signal was acknowledged. */
function pushing(broker: BrokerProcess, idp: Transmitter) {
  const acknowledged: string[] = [];
  let number = 0;
  let over = false;
  const hand = async () => {
    while (!over) {
      const agent = `agent-${(number += 1)}`;
      const reply = await push(broker, await idp.set(workload(agent))).catch(() => undefined);
      if (reply?.status === 202) acknowledged.push(agent);
    }
  };
  const hands = Promise.all(Array.from({ length: 16 }, hand));
  return { acknowledged, stop: () => ((over = true), hands) };
}

/** Each of them is held, once. */
async function expectHeldOnce(broker: BrokerProcess, agents: readonly string[]): Promise<void> {
  let held: string[] = [];
  await until(async () => {
    const published = await audited(broker, 'revocation.published');
    held = published.map(({ revocation }) => revocation?.selector.value ?? '');
    const seen = new Set(held);
    return agents.every((agent) => seen.has(`lab:${agent}`));
  }, 'an acknowledged signal came to nothing');
  expect(new Set(held).size).toBe(held.length);
  // The log says what a signal did after the publication, so it may stand there a moment later.
  await until(async () => {
    const evaluated = await audited(broker, 'signal.evaluated');
    const told = new Set(evaluated.flatMap(({ signal }) => signal?.reaction?.selector?.value ?? []));
    return agents.every((agent) => told.has(`lab:${agent}`));
  }, 'the audit log does not say why somebody is held');
  const [last = ''] = agents.slice(-1);
  expect((await broker.exchange(await broker.identity(last))).body).toMatchObject({ retry: 'after-lift' });
}

describe('a broker that is killed between 202 and reaction reacts to all that it acknowledged when it is back, once', () => {
  it.each(['lmdb', 'redis'])('over %s', async (kind) => {
    const { broker, idp } = await setting(kind === 'redis' ? (await startRedis()).url : undefined);
    const { acknowledged, stop } = pushing(broker, idp);
    await until(() => acknowledged.length >= 40, 'nothing was acknowledged');
    await broker.kill();
    await stop();
    await broker.start();
    await expectHeldOnce(broker, acknowledged);
  });
});

it('a store that restarts between 202 and reaction has all that was acknowledged', async () => {
  const redis = await startRedis({ appendonly: 'yes', appendfsync: 'always' });
  const { broker, idp } = await setting(redis.url);
  const { acknowledged, stop } = pushing(broker, idp);
  await until(() => acknowledged.length >= 40, 'nothing was acknowledged');
  await redis.kill();
  await stop();
  await redis.start();
  await until(() => broker.isReady(), 'the broker is not ready again');
  await expectHeldOnce(broker, acknowledged);
});

it('an event that arrives through two brokers at once is taken by both, and applied once', async () => {
  const redis = await startRedis();
  const { broker: one, idp, config } = await setting(redis.url);
  const two = await startProcess({ like: one, config, env: KEY });
  const agents = Array.from({ length: 30 }, (_, number) => `agent-${number}`);
  for (const agent of agents) {
    const set = await idp.set(workload(agent));
    const replies = await Promise.all([push(one, set), push(two, set), push(one, set)]);
    expect(replies.map(({ status }) => status)).toEqual([202, 202, 202]);
  }
  await expectHeldOnce(two, agents);
});
