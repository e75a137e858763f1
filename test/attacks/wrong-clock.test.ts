/**
 * A broker whose clock is wrong decides nothing but endings. Two brokers share a real Redis, and one of them is ten minutes
 * behind or five hours ahead; or a broker on LMDB, whose store has no clock of its own, is set back.
 */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestBroker } from '../support/brokers/http.js';
import { minted, startSignalBroker, type SignalBroker } from '../support/brokers/signals.js';
import { handClock } from '../support/clock.js';
import { workload } from '../support/issuers/transmitter.js';
import { startRedis } from '../support/redis.js';
import { FOR_BROWSERS, FOR_EVERYBODY, ROUTES } from '../support/contracts.js';
import { until } from '../support/until.js';

const TEN_MINUTES_MS = 600_000;
const FIVE_HOURS_MS = 5 * 3_600_000;
const SKEW_MS = 5_000;
const HOLD = { name: 'edr', event: 'session-revoked', do: 'hold', covers: 'workload', holdSeconds: 300 };
const REACTIONS = [
  HOLD,
  { name: 'few', event: 'risk-level-change', do: 'cutoff', covers: 'workload' },
  { name: 'high', event: 'credential-compromise', do: 'risk', risk: 'HIGH' },
  { name: 'medium', event: 'credential-change', do: 'risk', risk: 'MEDIUM' },
];
const SET_HEADERS = { 'content-type': 'application/secevent+jwt' };
const REFUSED = { status: 503, body: { code: 'temporarily_unavailable' } };

const task = { workload: 'lab:agent-7', purpose: 'summarise incident 4711' };

const isReady = async ({ operationsUrl }: TestBroker): Promise<boolean> =>
  (await fetch(`${operationsUrl}/health/ready`)).status === 200;

describe.each([
  ['ten minutes behind', -TEN_MINUTES_MS],
  ['five hours ahead', FIVE_HOURS_MS],
])('a broker that is %s', (_, byMs) => {
  let setting: SignalBroker;
  let right: TestBroker;
  let wrong: TestBroker;
  let incidents = 0;

  beforeAll(async () => {
    setting = await startSignalBroker(
      { reactions: REACTIONS, maxPartiesPerMinute: 3 },
      { redisUrl: (await startRedis()).url },
    );
    right = setting.broker;
    wrong = await right.beside(handClock(right.clock.now() + byMs));
  });

  // Redis has a real clock, which goes on between the tests.
  beforeEach(async () => {
    const now = Date.now();
    right.clock.set(now);
    wrong.clock.set(now + byMs);
    for (const broker of [right, wrong]) await broker.work('fitness');
  });

  it('is not ready, and says how far it is from the store', async () => {
    const { checks } = (await (await fetch(`${wrong.operationsUrl}/health/ready`)).json()) as { checks: object };
    expect(JSON.stringify(checks)).toMatch(/the clocks of broker and store are [\d.]+ s apart/);
  });

  it('opens nothing and mints nothing, also with an identity that is valid by its clock', async () => {
    const iat = Math.floor(wrong.clock.now() / 1000);
    for (const times of [{}, { iat, exp: iat + 300 }]) {
      expect(await wrong.post('/tasks', task, await right.identity('orchestrator', times))).toMatchObject(REFUSED);
      expect(await wrong.exchange(await right.identity('agent-7', times))).toMatchObject({ status: 503 });
    }
  });

  it('opens no task with an identity that has expired', async () => {
    const expired = await right.identity('orchestrator', { expiresInSeconds: -SKEW_MS / 1000 - 1 });
    expect(await right.post('/tasks', task, expired)).toMatchObject({ status: 401 });
    expect(await wrong.post('/tasks', task, expired)).toMatchObject(REFUSED);
  });

  it('says of no credential that it is active, whether it has expired, was revoked or lives', async () => {
    const api = await right.identity('tickets-api');
    const lives = await minted(right, 'agent-7');
    const revoked = await minted(right, 'agent-7');
    await right.post(
      '/revocations',
      { selector: { kind: 'task', value: revoked.task }, reason: 'r' },
      await right.identity('soc'),
    );
    for (const { token } of [lives, revoked]) expect(await wrong.introspect(token, api)).toMatchObject({ status: 503 });
    expect((await right.introspect(lives.token, api)).body).toMatchObject({ active: true });
  });

  it('ends a credential and a task, suspends one, and resumes none', async () => {
    const { token, task: own } = await minted(right, 'agent-7');
    const other = await minted(right, 'agent-7');
    const agent = await right.identity('agent-7');
    const orchestrator = await right.identity('orchestrator');
    const suspended = await wrong.post(`/tasks/${own}/suspend`, {}, orchestrator);
    expect(suspended).toMatchObject({ status: 200, body: { task: { state: 'suspended' } } });
    expect(await wrong.post(`/tasks/${own}/resume`, {}, orchestrator)).toMatchObject(REFUSED);
    expect(await wrong.post(`/tasks/${own}/complete`, { outcome: 'completed' }, agent)).toMatchObject({ status: 200 });
    expect(await wrong.form('/revoke', { token: other.token }, { authorization: `Bearer ${agent}` })).toMatchObject({
      status: 200,
    });
    expect(await wrong.post('/runs/complete', { issuer: 'lab', run: 'r-1' }, orchestrator)).toMatchObject({
      status: 200,
    });
    const api = await right.identity('tickets-api');
    for (const dead of [token, other.token]) {
      expect((await right.introspect(dead, api)).body).toEqual({ active: false });
    }
  });

  describe.each(['waits', 'approve', 'deny'] as const)(
    'cancels what people were asked, where their answer is: %s',
    (said) => {
      /** Asks people, who answer; returns the deferral code and the id. */
      async function asked() {
        const wish = { scope: `incident/${(incidents += 1)}:export`, completion_mode: 'deferred' };
        const { body } = await right.exchange(await right.identity('agent-7'), wish);
        const { deferral_code: code = '', approval_id: id = '' } = body as Record<string, string>;
        const ann = await right.person('ann', { groups: ['sre-oncall'] });
        const { answer } = (await right.get(`/approvals/${id}`, ann)).body as { answer: { digest: string } };
        const decision = { decision: said, digest: answer.digest, reason: 'r' };
        if (said !== 'waits')
          expect(await right.post(`/approvals/${id}/decision`, decision, ann)).toMatchObject({ status: 200 });
        return { code, id };
      }

      it.each<[string, (code: string) => Promise<unknown>]>([
        [
          'POST /revoke',
          async (token) =>
            wrong.form('/revoke', { token }, { authorization: `Bearer ${await right.identity('agent-7')}` }),
        ],
        [
          'POST /revocations',
          async (leaked) => wrong.post('/revocations', { leaked, reason: 'r' }, await right.identity('soc')),
        ],
      ])('%s', async (endpoint, end) => {
        const { code, id } = await asked();
        const state = said === 'deny' ? 'denied' : 'cancelled';
        const answer = endpoint === 'POST /revoke' ? {} : { body: { approval: { id, state } } };
        expect(await end(code)).toMatchObject({ status: 200, ...answer });
        expect((await right.get(`/approvals/${id}`, await right.identity('agent-7'))).body).toMatchObject({ state });
      });
    },
  );

  it('acknowledges a cutoff that no identity survives, and a hold that it neither previews nor lifts', async () => {
    const before = await right.identity('agent-8');
    const soc = await right.identity('soc');
    const cutoff = { selector: { kind: 'workload', value: 'lab:agent-8' }, effect: 'cutoff', reason: 'r' };
    expect(await wrong.post('/revocations', { ...cutoff, dryRun: true }, soc)).toMatchObject(REFUSED);
    expect(await wrong.post('/revocations', cutoff, soc)).toMatchObject({ status: 200 });
    expect(await right.exchange(before)).toMatchObject({ status: 400, body: { error: 'access_denied' } });

    const until = new Date(right.clock.now() + 300_000).toISOString();
    const hold = { selector: { kind: 'workload', value: 'lab:agent-9' }, effect: 'hold', reason: 'r', until };
    const { body } = await wrong.post('/revocations', hold, soc);
    expect(await wrong.remove(`/revocations/${(body as { seq: number }).seq}`, soc)).toMatchObject(REFUSED);
    expect((await right.exchange(await right.identity('agent-9'))).body).toMatchObject({ error: 'access_denied' });
  });

  it('holds for a signal as long as the reaction says, and at least, also for one that is fresh by the right clock', async () => {
    for (const [sub, { clock }] of [
      ['agent-11', wrong],
      ['agent-12', right],
    ] as const) {
      const set = await setting.idp.set(workload(sub), { claims: { iat: Math.floor(clock.now() / 1000) } });
      expect((await wrong.send('/signals', { method: 'POST', body: set, headers: SET_HEADERS })).status).toBe(202);
      const held = async () => (await right.exchange(await right.identity(sub))).body as { error?: string } | undefined;
      await until(async () => (await held())?.error === 'access_denied', 'the signal did not hold');
      for (const broker of [wrong, right]) {
        await broker.work('fitness');
        await broker.work('receipts');
      }
      expect(await held()).toMatchObject({ error: 'access_denied' });
    }
  });

  /** Reports about a workload through this broker; returns what became of it. */
  async function report(broker: TestBroker, event: string, sub: string): Promise<string> {
    const told = { id: `${event}-${sub}`, event, subject: workload(sub) };
    const { body } = await broker.post('/signals/json', told, await right.identity('siem'));
    const { id } = body as { id: string };
    let state = '';
    await until(async () => {
      const { body: signal } = await right.get(`/signals/${id}`, await right.identity('soc'));
      ({ state } = signal as { state: string });
      return state !== 'accepted' && !('unfinished' in (signal as object));
    }, 'nobody looked at the signal');
    return state;
  }

  it('shares the budget of a reaction with the others: it neither refills it nor uses it up', async () => {
    const states = [];
    for (const [number, broker] of [wrong, right, wrong, wrong, right].entries())
      states.push(await report(broker, 'risk-level-change', `party-${number}`));
    expect(states).toEqual(['reacted', 'reacted', 'reacted', 'pending', 'pending']);
    for (const broker of [right, wrong]) broker.clock.advance(60_001);
    expect(await report(right, 'risk-level-change', 'party-5')).toBe('reacted');
  });

  it('does not take a risk for decayed', async () => {
    await report(right, 'credential-compromise', 'agent-12');
    await report(wrong, 'credential-change', 'agent-12');
    const { body } = await right.get('/workloads/lab:agent-12/risk', await right.identity('soc'));
    expect(body).toMatchObject({ level: 'HIGH' });
  });

  it('does not refuse for good a signal that is too old by its clock alone', async () => {
    const iat = Math.floor(right.clock.now() / 1000) - 4 * 3_600;
    const set = await setting.idp.set(workload('agent-13'), { claims: { iat } });
    const send = { method: 'POST', body: set, headers: SET_HEADERS };
    expect((await wrong.send('/signals', send)).status).toBe(byMs > 0 ? 503 : 202);
    expect((await right.send('/signals', send)).status).toBe(202);
  });

  it('takes proof at no endpoint but those that end or hold', async () => {
    const others = ROUTES.filter(({ method, path }) => !OPERATIONS.test(path) && !ELSEWHERE.has(`${method} ${path}`));
    expect(others.length).toBeGreaterThan(15);
    for (const { method, path } of others) {
      const bearer = await right.identity('soc');
      const body = method === 'GET' ? {} : { body: '{}' };
      const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
      const reply = await wrong.send(path.replaceAll(/[:*]\w+/g, 'x'), { method, headers, ...body });
      expect([method, path, reply.status === 503]).toEqual([
        method,
        path,
        ![...FOR_EVERYBODY, ...FOR_BROWSERS].includes(path),
      ]);
    }
  });

  it('does not drag the others with it: they stay ready, and mint', async () => {
    await wrong.work('fitness');
    await right.work('fitness');
    await right.work('sweep');
    expect(await isReady(right)).toBe(true);
    expect(await right.exchange(await right.identity('agent-7'))).toMatchObject({ status: 200 });
  });
});

describe('a broker on LMDB whose clock is set back ten minutes', () => {
  const SET_BACK_MS = 29_000_000;
  let setting: SignalBroker;
  let broker: TestBroker;
  let token: string;
  /** By the clock of everybody else. */
  const proof = (sub: string) => {
    const iat = Math.floor((broker.clock.now() + SET_BACK_MS) / 1000);
    return broker.identity(sub, { iat, exp: iat + 300 });
  };
  const introspected = async () => broker.introspect(token, await broker.identity('tickets-api'));

  beforeAll(async () => {
    setting = await startSignalBroker({ reactions: [HOLD] });
    ({ broker } = setting);
    token = (await minted(broker, 'agent-7', { lifetime: '60' })).token;
    await broker.post(
      '/revocations',
      { selector: { kind: 'all' }, effect: 'cutoff', reason: 'r' },
      await broker.identity('soc'),
    );
    // Everything that is dead has expired, and is forgotten.
    await broker.advance(SET_BACK_MS);
    await broker.work('forget');
    broker.clock.jump(-SET_BACK_MS);
  });

  const expectNothing = async () => {
    await broker.work('fitness');
    expect(await isReady(broker)).toBe(false);
    expect(await introspected()).toMatchObject({ status: 503 });
    const hold = { selector: { kind: 'workload', value: 'lab:agent-9' }, reason: 'r' };
    for (const identity of [(sub: string) => broker.identity(sub), proof]) {
      expect(await broker.exchange(await identity('agent-7'))).toMatchObject({ status: 503 });
      expect(await broker.post('/revocations', hold, await identity('soc'))).toMatchObject({ status: 200 });
      expect(await broker.post('/signals/mutes', { source: 'idp' }, await identity('soc'))).toMatchObject({
        status: 503,
      });
    }
  };

  it('vouches for nothing and mints nothing, and still holds', expectNothing);

  it('does so after its clock has kept its pace for minutes, too', async () => {
    for (let second = 0; second < 180; second += 1) await broker.advance(1_000);
    await expectNothing();
  });

  it('cuts off proofs that were issued until now, because it knows how much time has passed', async () => {
    const cutoff = { selector: { kind: 'workload', value: 'lab:agent-8' }, effect: 'cutoff', reason: 'r' };
    const { body } = await broker.post('/revocations', cutoff, await proof('soc'));
    expect(Date.parse((body as { at: string }).at)).toBe(broker.clock.now() + SET_BACK_MS);
  });

  it('does so after a restart, too: the time agreed on is on disk, and a fresh signal seems to come from the future', async () => {
    broker = await broker.again();
    await expectNothing();
    const claims = { iat: Math.floor((broker.clock.now() + SET_BACK_MS) / 1000) };
    const body = await setting.idp.set(workload('agent-12'), { claims });
    expect((await broker.send('/signals', { method: 'POST', body, headers: SET_HEADERS })).status).toBe(202);
  });

  it('serves again when its clock has reached that time, and the dead stay dead', async () => {
    await broker.advance(SET_BACK_MS);
    await broker.work('sweep'); // It ends what was overdue.
    await broker.work('sweep');
    expect(await isReady(broker)).toBe(true);
    expect((await introspected()).body).toEqual({ active: false });
    expect(await broker.exchange(await broker.identity('agent-7'))).toMatchObject({ status: 200 });
  });
});

/** What ends or holds, or is permitted by the same verb; and POST /token and /introspect, which take a form and are asked above. */
const ELSEWHERE = new Set([
  'POST /token',
  'POST /introspect',
  // Asked about a target that there is: test/http/forward-auth.
  'GET /forward-auth/:name',
  'GET /forward-auth/:name/*path',
  'POST /revoke',
  'POST /tasks/:id/complete',
  'POST /tasks/:id/suspend',
  'POST /runs/complete',
  'POST /revocations',
  'DELETE /revocations/:seq',
  // What only `revoke` permits is asked for with the same proof, and reads the time that is known to be right.
  'POST /signals/mutes',
  'DELETE /signals/mutes/*source',
  'POST /signals',
  'POST /signals/json',
  'POST /signals/:id/confirm',
  'POST /signals/:id/dismiss',
]);

/** Served by a listener of its own, which asks nobody for proof. */
const OPERATIONS = /^\/(health|metrics)/;
