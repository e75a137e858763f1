/** Redis moves under a running broker: its address leads elsewhere, or Sentinels promote a replica. The broker follows by itself. */
import { describe, expect, it } from '@jest/globals';
import { startAddress } from '../support/address.js';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { DEAD, expectNeverActive } from '../support/never-active.js';
import { following, replicaOf, startRedis } from '../support/redis.js';
import { PRIMARY, startWatched } from '../support/sentinels.js';
import { until } from '../support/until.js';

const exchanged = async (broker: BrokerProcess, sub: string) =>
  ((await broker.exchange(await broker.identity(sub))).body as { access_token?: string }).access_token;
const granted = (broker: BrokerProcess) => async () => (await exchanged(broker, 'agent-7')) !== undefined;
const isLive = async (broker: BrokerProcess) => (await broker.operations.get('/health/live')).status === 200;

async function aliveAndRevoked(broker: BrokerProcess): Promise<[string, string]> {
  const tokens = [await exchanged(broker, 'agent-7'), await exchanged(broker, 'agent-8')];
  const request = { selector: { kind: 'workload', value: 'lab:agent-8' }, reason: 'test' };
  expect((await broker.post('/revocations', request, await broker.identity('soc'))).status).toBe(200);
  return tokens as [string, string];
}

describe('a demoted Redis', () => {
  it('is left for the new primary behind the address, though it answers on and closes no connection', async () => {
    const first = await startRedis();
    const second = await replicaOf(first);
    await until(following(second), 'does not follow');
    const address = await startAddress(first.port);
    const broker = await startProcess({ config: { store: address.url } });
    const [alive, revoked] = await aliveAndRevoked(broker);
    const move = async () => {
      await second.send('REPLICAOF', 'NO', 'ONE');
      await first.send('REPLICAOF', '127.0.0.1', second.port);
      address.leadTo(second.port);
      await until(granted(broker), 'the broker stays on the old primary');
    };
    await expectNeverActive({ broker, api: await broker.identity('tickets-api') }, revoked, move());
    // Another home is another log: what lived is dead.
    expect((await broker.introspect(alive, await broker.identity('tickets-api'))).body).toEqual(DEAD);
    expect(await isLive(broker)).toBe(true);
  });
});

describe('Sentinels', () => {
  it('lead the broker to the replica that they promote, when the primary is killed under load', async () => {
    const watched = await startWatched();
    const store = { sentinel: watched.addresses, name: PRIMARY };
    const broker = await startProcess({ config: { store } });
    const [alive, revoked] = await aliveAndRevoked(broker);
    let over = false;
    const agents = ['agent-1', 'agent-2', 'agent-3'].map(async (agent) => {
      while (!over) await exchanged(broker, agent);
    });
    const failover = async () => {
      await watched.primary.kill();
      await until(granted(broker), 'the broker does not come back');
    };
    await expectNeverActive({ broker, api: await broker.identity('tickets-api') }, revoked, failover());
    over = true;
    await Promise.all(agents);
    expect((await broker.introspect(alive, await broker.identity('tickets-api'))).body).toEqual(DEAD);
    expect(await isLive(broker)).toBe(true);
  }, 60_000);
});
