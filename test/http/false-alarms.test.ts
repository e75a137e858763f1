/** Five hundred false alarms: found by who said them and what was done, and dismissed, lifted or silenced by one call each. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TestBroker } from '../support/brokers/http.js';
import { expectProblem } from '../support/expect-refusal.js';
import { audited, evaluated, startSignalBroker, type SignalBroker } from '../support/brokers/signals.js';
import { RISK, workload } from '../support/issuers/transmitter.js';

const RULES = [
  { name: 'stop', event: 'session-revoked', do: 'hold', covers: 'workload' },
  { name: 'freeze', event: 'risk-level-change', do: 'hold', covers: 'workload' },
];
const POLICIES = `
@id("lead-reads-what-waits") permit (principal == Workload::"lab:lead", action == Action::"readRevocations", resource);
@id("lead-holds-and-lifts-one") permit (principal == Workload::"lab:lead", action == Action::"revoke", resource)
when { context.kind == "workload" && context.value == "lab:a-1" };`;

interface Listed {
  signals: { id: string; source: string; state: string }[];
  revocations: { seq: number; selector: { value: string } }[];
}

let setting: SignalBroker;
let broker: TestBroker;
let count: number;
const start = async (most: number | 'unlimited') => {
  setting = await startSignalBroker({ reactions: RULES, maxPartiesPerMinute: most }, { policies: POLICIES });
  ({ broker } = setting);
  count = 0;
};
const by = (sub: string) => broker.identity(sub);
const get = async (path: string) => (await broker.get(path, await by('soc'))).body as Listed;
const post = async (path: string, body: object, sub = 'soc') => broker.post(path, body, await by(sub));
/** Pushes a report of each of these workloads, and waits until all are evaluated. */
async function report(from: 'idp' | 'edr', subs: readonly string[], event?: string): Promise<void> {
  for (const sub of subs) await setting.say(setting[from], workload(sub), { ...(event !== undefined && { event }) });
  await evaluated(broker, (count += subs.length));
}
const states = async (query: string) => (await get(`/signals?${query}`)).signals.map(({ state }) => state);
const held = async (query: string) =>
  (await get(`/revocations?${query}`)).revocations.map(({ selector }) => selector.value);
const isGranted = async (sub: string) => (await broker.exchange(await by(sub))).status === 200;

describe('what waits for a person', () => {
  beforeEach(async () => {
    await start(0);
    await report('idp', ['a-1', 'a-2']);
    await report('edr', ['a-3'], RISK);
  });

  it('is listed by source, reaction and subject', async () => {
    const pending = async (query: string) => (await get(`/signals/pending?${query}`)).signals.length;
    const found = ['source=idp', 'source=edr', 'reaction=stop', 'reaction=freeze', 'subject=lab:a-1', 'source=x'];
    expect(await Promise.all(found.map(pending))).toEqual([2, 1, 2, 1, 1, 0]);
    expect(await states('reaction=freeze&state=pending')).toEqual(['pending']);
  });

  it('is dismissed by one call and one entry, and nothing else is', async () => {
    const { signals } = await get('/signals/pending?source=idp');
    const reply = await post('/signals/dismiss', { source: 'idp', reason: 'a drill' });
    expect([reply.status, reply.body]).toEqual([200, { dismissed: 2, refused: 0 }]);
    expect(await states('source=idp')).toEqual(['dismissed', 'dismissed']);
    expect(await states('source=edr')).toEqual(['pending']);
    expect(await audited(broker, 'signal.decided_all')).toMatchObject([
      {
        actor: { id: 'lab:soc' },
        reason: 'a drill',
        together: { count: 2, source: 'idp', of: expect.arrayContaining(signals.map(({ id }) => id)) },
      },
    ]);
    expect(await audited(broker, 'signal.decided')).toEqual([]);
    expect((await post('/signals/dismiss', { source: 'idp' })).body).toEqual({ dismissed: 0, refused: 0 });
    expect(await audited(broker, 'signal.decided_all')).toHaveLength(1);
  });

  it('is dismissed as far as policy lets the caller dismiss each', async () => {
    const reply = await post('/signals/dismiss', { reaction: 'stop' }, 'lead');
    expect(reply.body).toEqual({ dismissed: 1, refused: 1 });
    expect(await states('subject=lab:a-1')).toEqual(['dismissed']);
    expect(await states('subject=lab:a-2')).toEqual(['pending']);
  });

  it.each([{}, { reason: 'all of it' }, { source: 'idp', state: 'reacted' }, { source: 'idp', after: 1 }])(
    'is not dismissed by %p',
    async (body) => {
      expectProblem(await post('/signals/dismiss', body), 400, 'invalid_request');
      expectProblem(await post('/signals/dismiss', { source: 'idp' }, 'siem'), 403, 'access_denied');
      expect(await states('state=pending')).toHaveLength(3);
    },
  );
});

describe('what a reaction has held', () => {
  beforeEach(async () => {
    await start('unlimited');
    await report('idp', ['a-1', 'a-2']);
    await report('edr', ['a-3']);
    await report('edr', ['a-2'], RISK);
    const selector = { kind: 'workload', value: 'lab:a-4' };
    await post('/revocations', { selector, reason: 'odd', ticket: 'reaction:stop', unseen: true });
  });

  it('is listed by reaction, source and state', async () => {
    expect(await held('reaction=stop')).toEqual(['lab:a-1', 'lab:a-2', 'lab:a-3']);
    expect(await held('reaction=stop&source=edr')).toEqual(['lab:a-3']);
    expect(await held('state=held')).toHaveLength(5);
    expect(await held('state=lifted')).toEqual([]);
    expectProblem(await broker.get('/revocations?state=dead', await by('soc')), 400, 'invalid_request');
    const { revocations, next } = (await get('/revocations?reaction=stop&limit=2')) as Listed & { next: number };
    expect(revocations).toHaveLength(2);
    expect(await held(`reaction=stop&limit=2&after=${next}`)).toEqual(['lab:a-3']);
  });

  it('is lifted by one call and one entry, and no hold of anybody else is', async () => {
    const reply = await post('/revocations/lift', { reaction: 'stop', reason: 'false alarm' });
    expect([reply.status, reply.body]).toEqual([200, { lifted: 3, refused: 0 }]);
    expect(await Promise.all(['a-1', 'a-2', 'a-3', 'a-4'].map(isGranted))).toEqual([true, false, true, false]);
    expect(await held('state=lifted')).toEqual(['lab:a-1', 'lab:a-2', 'lab:a-3']);
    expect(await audited(broker, 'revocation.lifted_all')).toMatchObject([
      { actor: { id: 'lab:soc' }, reason: 'false alarm', together: { count: 3, reaction: 'stop' } },
    ]);
    expect((await post('/revocations/lift', { reaction: 'stop' })).body).toEqual({ lifted: 0, refused: 0 });
    expect(await audited(broker, 'revocation.lifted_all')).toHaveLength(1);
  });

  it('is lifted as far as policy lets the caller lift each, and by source', async () => {
    expect((await post('/revocations/lift', { reaction: 'stop' }, 'lead')).body).toEqual({ lifted: 1, refused: 2 });
    const ofIdp = { reaction: 'stop', source: 'idp' };
    expect((await post('/revocations/lift', ofIdp)).body).toEqual({ lifted: 1, refused: 0 });
    expect(await held('state=held&reaction=stop')).toEqual(['lab:a-3']);
    expectProblem(await post('/revocations/lift', {}), 400, 'invalid_request');
    expectProblem(await post('/revocations/lift', { reaction: 'stop' }, 'siem'), 403, 'access_denied');
  });
});

describe('a source that is muted', () => {
  const HOUR_MS = 3_600_000;
  beforeEach(() => start('unlimited'));
  const mutes = async () => (await broker.get('/signals/mutes', await by('soc'))).body as { mutes: object[] };

  it('is recorded and held against nobody for an hour, also after a restart; others and what was done stand', async () => {
    await report('idp', ['a-1']);
    const reply = await post('/signals/mutes', { source: 'idp', reason: 'it lost its mind' });
    const until = new Date(broker.clock.now() + HOUR_MS).toISOString();
    const mute = { source: 'idp', by: 'lab:soc', at: expect.any(String), until, reason: 'it lost its mind' };
    expect([reply.status, reply.body]).toEqual([200, mute]);
    await report('idp', ['a-2']);
    await report('edr', ['a-3']);
    expect(await Promise.all(['a-1', 'a-2', 'a-3'].map(isGranted))).toEqual([false, true, false]);
    const { signals } = await get('/signals?subject=lab:a-2');
    const because = `Its source is muted until ${until}, by lab:soc.`;
    expect(signals).toMatchObject([{ state: 'recorded', reaction: { rule: 'stop', because } }]);
    expect(await audited(broker, 'signal.muted')).toMatchObject([
      { actor: { id: 'lab:soc' }, muted: { source: 'idp', until: Date.parse(until) }, reason: 'it lost its mind' },
    ]);

    broker = setting.broker = await broker.again();
    expect(await mutes()).toEqual({ mutes: [mute] });
    await report('idp', ['a-5']);
    expect(await isGranted('a-5')).toBe(true);
    await broker.advance(HOUR_MS);
    expect(await mutes()).toEqual({ mutes: [] });
    await report('idp', ['a-6']);
    expect(await isGranted('a-6')).toBe(false);
  });

  it('is heard again as soon as somebody says so', async () => {
    const source = 'lab:siem/alerts';
    expect((await post('/signals/mutes', { source, seconds: 60 })).status).toBe(200);
    expect((await post('/signals/mutes', { source: 'idp', seconds: 60 })).status).toBe(200);
    const unmute = async (name: string) =>
      broker.send(`/signals/mutes/${name}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${await by('soc')}` },
      });
    expect((await unmute(source)).body).toMatchObject({ source });
    expectProblem(await unmute(source), 404, 'not_found');
    expect((await unmute('idp')).status).toBe(200);
    expect(await audited(broker, 'signal.unmuted')).toMatchObject([
      { muted: { source } },
      { muted: { source: 'idp' } },
    ]);
    await report('idp', ['a-1']);
    expect(await isGranted('a-1')).toBe(false);
  });

  it.each([
    [{ source: 'ipd' }, /is no source/],
    [{ source: 'other:siem' }, /is no source/],
    [{ source: 'idp', seconds: 3_601 }, /seconds/],
    [{ source: 'idp', seconds: 0 }, /seconds/],
    [{}, /source/],
  ])('is no such thing as %p', async (body, detail) => {
    expectProblem(await post('/signals/mutes', body), 400, 'invalid_request', detail);
    expect(await mutes()).toEqual({ mutes: [] });
  });
});
