/** Redis moves under a running broker: its address leads elsewhere, or Sentinels promote a replica. The broker follows by itself. */
import { describe, expect, it } from '@jest/globals';
import { startAddress } from '../support/address.js';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { DEAD, expectNeverActive } from '../support/never-active.js';
import { following, replicaOf, startRedis, type RedisServer } from '../support/redis.js';
import { PRIMARY, startWatched } from '../support/sentinels.js';
import { until } from '../support/until.js';

const exchanged = async (broker: BrokerProcess, sub: string) =>
  ((await broker.exchange(await broker.identity(sub))).body as { access_token?: string }).access_token;
const granted = (broker: BrokerProcess) => async () => (await exchanged(broker, 'agent-7')) !== undefined;
const idOf = (token: string): unknown =>
  (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti?: unknown }).jti;
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
  it('G5: lead the broker to the replica that they promote; where a failover keeps what lives, the living live on and the revoked stay dead', async () => {
    const watched = await startWatched();
    const [promoted] = watched.replicas as [RedisServer];
    const store = { sentinel: watched.addresses, name: PRIMARY };
    const redis = { replicas: 1, onFailover: 'keep' };
    const broker = await startProcess({ config: { store, redis, lifetimes: { clockSkew: 1 } } });
    const [alive, revoked] = await aliveAndRevoked(broker);
    // It has then run for longer than clocks may differ, and was stamped since.
    await until(async () => Number(/uptime_in_seconds:(\d+)/.exec(String(await promoted.send('INFO', 'server')))?.[1]) > 5, 'the replica is too new'); // prettier-ignore
    let over = false;
    const soc = await broker.identity('soc');
    const acknowledged: string[] = [];
    const agents = ['agent-1', 'agent-2', 'agent-3'].map(async (agent) => {
      while (!over) {
        const token = await exchanged(broker, agent);
        if (token === undefined) continue;
        const selector = { kind: 'credential', value: idOf(token) };
        const { status } = await broker.post('/revocations', { selector, reason: 'test' }, soc);
        if (status === 200) acknowledged.push(token);
      }
    });
    await until(() => acknowledged.length > 10, 'nothing is acknowledged');
    const api = await broker.identity('tickets-api');
    const isAlive = async () => ((await broker.introspect(alive, api)).body as { active?: boolean }).active === true;
    const failover = async () => {
      await watched.primary.kill();
      await until(async () => (await broker.introspect(alive, api)).status === 503, 'the primary is not missed');
      await until(isAlive, 'the broker does not come back');
    };
    await expectNeverActive({ broker, api }, revoked, failover());
    over = true;
    await Promise.all(agents);
    for (const token of acknowledged) expect((await broker.introspect(token, api)).body).toEqual(DEAD);
    // Without a replica nothing is acknowledged nor granted. The old primary comes back as one.
    expect(await exchanged(broker, 'agent-7')).toBeUndefined();
    await watched.primary.start();
    // The Sentinels would say so too, after eight seconds.
    await watched.primary.send('REPLICAOF', '127.0.0.1', promoted.port);
    await until(granted(broker), 'the broker does not grant again');
    expect(await isAlive()).toBe(true);
    expect(await isLive(broker)).toBe(true);
  });
});
