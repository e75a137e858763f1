/** The revocation feed over HTTP: what a verifier hears, in which order, and when the broker says nothing or ends it. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { follow, type FeedReader } from '../support/feed-reader.js';

const VERIFIERS = `
@id("verifiers-follow") permit (principal == Workload::"lab:verifier", action == Action::"followFeed", resource);`;

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
});
