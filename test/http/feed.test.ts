/** The revocation feed over HTTP: what a verifier hears, in which order, and when the broker says nothing or ends it. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from 'jose';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { follow, type FeedReader } from '../support/feed-reader.js';

const VERIFIERS = ['verifier', 'verifier-2']
  .map(
    (name) => `@id("${name}") permit (principal == Workload::"lab:${name}", action == Action::"followFeed", resource);`,
  )
  .join('\n');

let broker: TestBroker;
let soc: string;
beforeAll(async () => {
  broker = await startBroker({ policies: VERIFIERS });
  soc = await broker.identity('soc');
});

const listen = async (lastEventId?: string, query?: string): Promise<FeedReader> =>
  follow({
    url: broker.url,
    bearer: await broker.identity('verifier'),
    lastEventId,
    ...(query !== undefined && { query }),
  });

const claimsOf = async (sub: string) => {
  const reply = await broker.exchange(await broker.identity(sub));
  return decodeJwt((reply.body as { access_token: string }).access_token) as {
    jti: string;
    epoch: string;
    causes: string[];
  };
};

const revoke = (kind: string, value: string, more: object = {}) =>
  broker.post('/revocations', { selector: { kind, value }, reason: 'test', unseen: true, ...more }, soc);

describe('a verifier that follows', () => {
  it('hears all that is dead, then each revocation, and decides as the broker does', async () => {
    const [held, ended, living] = [await claimsOf('agent-1'), await claimsOf('agent-2'), await claimsOf('agent-3')];
    await revoke('workload', 'lab:agent-1');
    const reader = await listen();
    expect(reader.headers['content-type']).toBe('text/event-stream');
    expect(reader.headers['x-accel-buffering']).toBe('no');
    await reader.hears('heartbeat');
    expect(reader.isLive()).toBe(true);
    expect([held, ended, living].map(reader.isDead)).toEqual([true, false, false]);
    await revoke('credential', ended.jti);
    await reader.hears('revocation');
    expect([held, ended, living].map(reader.isDead)).toEqual([true, true, false]);
    reader.leave();
    await reader.ended;
  });

  it('comes again with the id of the last event, and hears only what it lacks', async () => {
    const first = await listen();
    await first.hears('heartbeat');
    const id = first.lastId();
    first.leave();
    const { jti, epoch, causes } = await claimsOf('agent-4');
    await revoke('credential', jti);
    const second = await listen(id);
    await second.hears('heartbeat');
    expect(second.heard.map(({ event }) => event)).toEqual(['hello', 'revocation', 'heartbeat']);
    expect(second.isDead({ epoch, causes })).toBe(true);
    second.leave();
    for (const other of ['nonsense', '0_other.1', `${id?.split('.')[0]}.999999`]) {
      const third = await listen(other);
      await third.hears('complete');
      third.leave();
    }
  });

  it('hears no name, reason or ticket of what was revoked', async () => {
    const reader = await listen();
    await reader.hears('heartbeat');
    await revoke('workload', 'lab:nobody-knows', { reason: 'a secret reason', ticket: 'SEC-1' });
    await reader.hears('revocation');
    expect(JSON.stringify(reader.heard)).not.toMatch(/nobody-knows|secret reason|SEC-1/);
    reader.leave();
  });

  it('hears nothing more once it is held, nor gets a stream', async () => {
    const bearer = await broker.identity('verifier-2');
    const reader = await follow({ url: broker.url, bearer });
    await reader.hears('heartbeat');
    await revoke('workload', 'lab:verifier-2');
    expect(await reader.hears('end')).toEqual({ reason: 'refused' });
    await reader.ended;
    expect((await follow({ url: broker.url, bearer })).status).toBe(403);
  });

  it('gets no stream without the verb, and none from HEAD', async () => {
    expect((await follow({ url: broker.url, bearer: await broker.identity('agent-9') })).status).toBe(403);
    const headers = { authorization: `Bearer ${await broker.identity('verifier')}` };
    const head = await fetch(`${broker.url}/revocations/feed`, { method: 'HEAD', headers });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});

describe('an acknowledgement', () => {
  it('is in the receipt and in the metrics; the receipt is signed for whoever asks, under a type of its own', async () => {
    const [said, silent] = [await listen(undefined, '?instance=a'), await listen(undefined, '?instance=b')];
    await Promise.all([said.hears('heartbeat'), silent.hears('heartbeat')]);
    const { seq } = (await revoke('workload', 'lab:agent-8')).body as { seq: number };
    const { receipt } = await said.hears('revocation');
    expect(receipt).toBe(true);
    const verifier = await broker.identity('verifier');
    const applied = [{ seq, waitedMs: 0 }];
    const generation = said.applied()?.generation;
    const acknowledge = (over: object) =>
      broker.post('/revocations/feed/ack', { generation, instance: 'a', applied, ...over }, verifier);
    expect((await acknowledge({})).body).toEqual({ measured: 1 });
    expect((await acknowledge({ applied: [{ seq: seq + 1 }] })).status).toBe(400);
    expect((await acknowledge({ generation: '0_x' })).status).toBe(409);
    await broker.work('feed');
    const shown = (await broker.get(`/revocations/${seq}`, soc)).body as { at: string; verifiers: object[] };
    expect(shown.verifiers).toEqual([
      { verifier: 'lab:verifier', instance: 'a', knewAt: shown.at, afterMs: 0 },
      { verifier: 'lab:verifier', instance: 'b' },
    ]);
    const signed = await broker.get(`/revocations/${seq}`, soc, { accept: 'application/jwt' });
    const keys = createLocalJWKSet((await broker.get('/jwks')).body as JSONWebKeySet);
    const { payload } = await jwtVerify(signed.text, keys, {
      typ: 'mayfly-receipt+jwt',
      issuer: broker.url,
      currentDate: new Date(broker.clock.now()),
    });
    expect(payload['receipt']).toEqual(shown);
    const metrics = await (await fetch(`${broker.operationsUrl}/metrics`)).text();
    expect(metrics).toContain('mayfly_time_to_deny_seconds_count{verifier="lab:verifier"} 1');
    for (const reader of [said, silent]) reader.leave();
  });
});

it('hundreds that come again at once are all served, and everything is read once for them', async () => {
  const other = await startBroker({ policies: VERIFIERS });
  const bearer = await other.identity('verifier');
  const crowd = (lastEventId?: string) =>
    Promise.all(Array.from({ length: 300 }, () => hearing(`${other.url}/revocations/feed`, bearer, lastEventId)));
  const first = await crowd();
  const places = await Promise.all(first.map((one) => one.hears(/event: heartbeat\ndata: (.*)/)));
  const { generation, seq } = JSON.parse(places[0] ?? '') as { generation: string; seq: number };
  for (const one of first) one.leave();
  const second = await crowd(`${generation}.${seq}`);
  await Promise.all(second.map((one) => one.hears(/event: heartbeat\ndata: (.*)/)));
  const body = { selector: { kind: 'workload', value: 'lab:x' }, reason: 'test', unseen: true };
  await other.post('/revocations', body, await other.identity('soc'));
  const heard = await Promise.all(second.map((one) => one.hears(/event: revocation\ndata: \{"seq":(\d+)/)));
  expect(new Set(heard)).toEqual(new Set([String(seq + 1)]));
  expect(second.filter((one) => one.text().includes('event: snapshot'))).toEqual([]);
  const metrics = await (await fetch(`${other.operationsUrl}/metrics`)).text();
  expect(metrics).toContain('mayfly_store_seconds_count{operation="snapshot"} 1\n');
  for (const one of second) one.leave();
});

/** A stream of which only the text is kept. */
async function hearing(url: string, bearer: string, lastEventId: string | undefined) {
  const headers = {
    authorization: `Bearer ${bearer}`,
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  };
  const asked = get(url, { headers, agent: false });
  asked.on('error', () => undefined);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  let text = '';
  response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  response.on('error', () => undefined);
  const found = (pattern: RegExp) => pattern.exec(text)?.[1];
  return {
    text: () => text,
    leave: () => void asked.destroy(),
    async hears(pattern: RegExp): Promise<string> {
      for (let hit = found(pattern); ; hit = found(pattern)) {
        if (hit !== undefined) return hit;
        await once(response, 'data');
      }
    },
  };
}

it('many verifiers of one workload follow and acknowledge, though the workload may ask hardly anything else', async () => {
  const other = await startBroker({ policies: VERIFIERS, config: { limits: { perWorkloadPerMinute: 1 } } });
  const bearer = await other.identity('verifier');
  const readers = await Promise.all([1, 2, 3].map(() => follow({ url: other.url, bearer })));
  for (const reader of readers) await reader.hears('heartbeat');
  const unheard = { generation: readers[0]?.applied()?.generation, applied: [{ seq: 1 }] };
  for (let i = 0; i < 3; i += 1) expect((await other.post('/revocations/feed/ack', unheard, bearer)).status).toBe(400);
  const asks = async () => (await other.get('/tasks/tsk_none', bearer)).status;
  expect([await asks(), await asks()].map((status) => status === 429)).toEqual([false, true]);
  for (const reader of readers) reader.leave();
});

it('a broker that ends tells its verifiers, and is not kept by them', async () => {
  const other = await startBroker({ policies: VERIFIERS });
  const reader = await follow({ url: other.url, bearer: await other.identity('verifier') });
  await reader.hears('heartbeat');
  await other.close();
  expect(await reader.hears('end')).toEqual({ reason: 'closing' });
  await reader.ended;
});
