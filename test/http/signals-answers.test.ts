/** What the SOC can ask about signals, and how a person decides about a reaction that would hit too much at once. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TestBroker } from '../support/brokers/http.js';
import { until } from '../support/until.js';
import { expectProblem } from '../support/expect-refusal.js';
import { startSignalBroker } from '../support/brokers/signals.js';
import { workload } from '../support/issuers/transmitter.js';

const RULES = [
  { name: 'stop', event: 'session-revoked', do: 'hold', covers: 'workload' },
  { name: 'distrust', event: 'risk-level-change', do: 'risk', risk: 'MEDIUM', covers: 'workload' },
];
const POLICIES = `
@id("lead-holds-workloads") permit (principal == Workload::"lab:lead", action == Action::"revoke", resource)
when { context.kind == "workload" && context.effect == "hold" && context.value == "lab:agent-7" };`;

let broker: TestBroker;
let soc: string;

interface SignalBody {
  id: string;
  state: string;
  [field: string]: unknown;
}

beforeEach(async () => {
  ({ broker } = await startSignalBroker({ reactions: RULES, maxPartiesPerMinute: MOST }, { policies: POLICIES }));
  soc = await broker.identity('soc');
});

const MOST = 1;

let told = 0;
/** Sends a signal as the SIEM does, and returns its id when the broker has evaluated it. */
async function tell(sub: string, more: object = {}): Promise<string> {
  const body = { id: `alert-${(told += 1)}`, event: 'session-revoked', subject: workload(sub), ...more };
  const reply = await broker.post('/signals/json', body, await broker.identity('siem'));
  const { id } = reply.body as { id: string };
  await until(async () => {
    const { state, unfinished } = await show(id);
    return state !== 'accepted' && unfinished === undefined;
  }, 'nobody looked at the signal');
  broker.clock.advance(1_000);
  return id;
}

const show = async (id: string) => (await broker.get(`/signals/${id}`, soc)).body as SignalBody;
const list = async (query = '') =>
  (await broker.get(`/signals${query}`, soc)).body as { signals: SignalBody[]; next?: string };
const ids = async (query = '') => (await list(query)).signals.map(({ id }) => id);
const decide = async (id: string, verdict: string, { by = soc, body = {} } = {}) =>
  broker.post(`/signals/${id}/${verdict}`, body, by);
const isGranted = async (sub: string) => (await broker.exchange(await broker.identity(sub))).status === 200;
const audited = async (type: string) =>
  ((await broker.get(`/audit?type=${type}`, soc)).body as { lines: string[] }).lines.map(
    (line) => JSON.parse(line) as Record<string, unknown>,
  );

/** Sends a signal whose reaction would hit one party more than a minute allows, and returns its id. */
async function pending(sub = 'agent-7'): Promise<string> {
  await broker.exchange(await broker.identity(sub));
  await tell('somebody-else');
  return tell(sub);
}

describe('GET /signals/{id}', () => {
  it('answers what was reported and what became of it', async () => {
    const at = new Date(broker.clock.now()).toISOString();
    const id = await tell('agent-7', { reason: 'beacon seen', at });
    expect(await show(id)).toEqual({
      id,
      source: 'lab:siem',
      event: 'session-revoked',
      level: 'HIGH',
      about: [{ kind: 'workload', value: 'lab:agent-7' }],
      at,
      receivedAt: at,
      reason: 'beacon seen',
      state: 'reacted',
      reaction: {
        rule: 'stop',
        do: 'hold',
        selector: { kind: 'workload', value: 'lab:agent-7' },
        tasks: 0,
        seq: expect.any(Number),
      },
    });
  });

  it('is 404 for what was never said', async () => {
    for (const id of ['sig_aaaaaaaaaaaaaaaa', 'tsk_aaaaaaaaaaaaaaaa', 'x'])
      expectProblem(await broker.get(`/signals/${id}`, soc), 404, 'not_found');
  });
});

describe('GET /signals', () => {
  it('lists the oldest first, by subject, state and source', async () => {
    const one = await tell('agent-1');
    const two = await tell('agent-2');
    const three = await tell('agent-3', { event: 'risk-level-change' });
    expect(await ids()).toEqual([one, two, three]);
    expect(await ids('?subject=lab:agent-2')).toEqual([two]);
    expect(await ids('?subject=workload:lab:agent-2')).toEqual([two]);
    expect(await ids('?subject=principal:lab:agent-2')).toEqual([]);
    expect(await ids('?state=pending')).toEqual([two]);
    expect(await ids('?state=reacted&source=lab:siem')).toEqual([one, three]);
    expect(await ids('?source=idp')).toEqual([]);
  });

  it('comes in pages that leave nothing out and nothing twice', async () => {
    const all = [await tell('agent-1'), await tell('agent-2'), await tell('agent-3')];
    const found: string[] = [];
    for (let query: string | undefined = '?limit=1'; query !== undefined;) {
      const page = await list(query);
      found.push(...page.signals.map(({ id }) => id));
      query = page.next === undefined ? undefined : `?limit=1&after=${page.next}`;
    }
    expect(found).toEqual(all);
  });

  it.each(['?state=dead', '?after=1', '?after=1.tsk_a', '?limit=0', '?limit=501', '?subject=', '?sbuject=x'])(
    '%s is 400',
    async (query) => {
      expectProblem(await broker.get(`/signals${query}`, soc), 400, 'invalid_request');
    },
  );

  it('is for those whom policy lets read revocations', async () => {
    const agent = await broker.identity('agent-7');
    for (const path of ['/signals', '/signals/pending', '/signals/sig_aaaaaaaaaaaaaaaa']) {
      expectProblem(await broker.get(path, agent), 403, 'access_denied');
      expectProblem(await broker.get(path), 401, 'invalid_token');
    }
  });
});

describe('GET /signals/pending', () => {
  it('lists what waits for a person, and nothing else', async () => {
    const id = await pending();
    const { body } = await broker.get('/signals/pending', soc);
    expect(body).toMatchObject({
      signals: [{ id, state: 'pending', reaction: { tasks: 1, because: expect.any(String) } }],
    });
    await decide(id, 'dismiss');
    expect((await broker.get('/signals/pending', soc)).body).toEqual({ signals: [] });
  });
});

describe('a signal that nobody confirms', () => {
  it('is given up after a day, which the audit log says, and forgotten', async () => {
    const id = await pending();
    await broker.advance(86_400_000);
    soc = await broker.identity('soc');
    expect(await show(id)).toMatchObject({ state: 'pending' });
    await broker.work('forget');
    expect(await audited('signal.evaluated')).toContainEqual(
      expect.objectContaining({
        signal: expect.objectContaining({
          ...{ id, state: 'recorded' },
          reaction: expect.objectContaining({ because: 'Nobody has confirmed it within a day.' }),
        }),
      }),
    );
    expect((await broker.get(`/signals/${id}`, soc)).status).toBe(404);
    expect((await broker.get('/signals/pending', soc)).body).toEqual({ signals: [] });
  });
});

describe('confirming', () => {
  it('does what was held back, under the name of who confirmed it, and says so in the audit log', async () => {
    const id = await pending();
    expect(await isGranted('agent-7')).toBe(true);
    const { status, body } = await decide(id, 'confirm', { body: { reason: 'seen on two hosts' } });
    expect([status, body]).toEqual([
      200,
      {
        ...(await show(id)),
        state: 'reacted',
        reaction: expect.objectContaining({ rule: 'stop', do: 'hold', seq: expect.any(Number) }),
        decided: { by: 'lab:soc', at: new Date(broker.clock.now()).toISOString(), reason: 'seen on two hosts' },
      },
    ]);
    expect((body as { reaction: object }).reaction).not.toHaveProperty('because');
    expect(await isGranted('agent-7')).toBe(false);
    const { seq } = (body as { reaction: { seq: number } }).reaction;
    expect((await broker.get(`/revocations/${seq}`, soc)).body).toMatchObject({ actor: 'lab:soc', effect: 'hold' });
    expect(await audited('signal.decided')).toMatchObject([
      {
        ...{ actor: { id: 'lab:soc' }, requestId: expect.stringMatching(/^req_/), address: '127.0.0.1' },
        ...{ reason: 'seen on two hosts', signal: { id, state: 'reacted', reaction: { seq } } },
      },
    ]);
  });

  it('twice is the same, and revokes once', async () => {
    const id = await pending();
    const first = await decide(id, 'confirm');
    await broker.advance(3_000);
    await broker.work('signals');
    const again = await decide(id, 'confirm');
    expect([again.status, again.body]).toEqual([200, first.body]);
    const { revocations } = (await broker.get('/revocations', soc)).body as { revocations: object[] };
    const ofAgent7 = { selector: { value: 'lab:agent-7' } };
    expect(revocations).toMatchObject([{ selector: { value: 'lab:somebody-else' } }, ofAgent7]);
    expect(await audited('signal.decided')).toHaveLength(1);
  });

  it('is permitted by the very selector and effect it comes to', async () => {
    const lead = await broker.identity('lead');
    const [theirs, other] = [await pending(), await pending('agent-8')];
    expectProblem(await decide(other, 'confirm', { by: lead }), 403, 'access_denied');
    expectProblem(await decide(other, 'dismiss', { by: lead }), 403, 'access_denied');
    expectProblem(await decide('sig_aaaaaaaaaaaaaaaa', 'confirm', { by: lead }), 403, 'access_denied');
    expect((await decide(theirs, 'confirm', { by: lead })).status).toBe(200);
    expect(await isGranted('agent-8')).toBe(true);
  });

  it.each(['confirm', 'dismiss'])('%s is refused for what is not pending', async (verdict) => {
    const id = await tell('agent-1', { event: 'account-disabled' });
    expectProblem(await decide(id, verdict), 409, 'conflict', /is recorded; only one that is pending/);
    const byItself = await tell('agent-2');
    expectProblem(await decide(byItself, verdict), 409, 'conflict', /is reacted; only one that is pending/);
    expectProblem(await decide('sig_aaaaaaaaaaaaaaaa', verdict), 404, 'not_found');
    expectProblem(await decide(id, verdict, { body: { raeson: 'x' } }), 400, 'invalid_request');
    expectProblem(await decide(id, verdict, { by: await broker.identity('agent-7') }), 403, 'access_denied');
  });
});

describe('dismissing', () => {
  it('does nothing, for good', async () => {
    const id = await pending();
    const { status, body } = await decide(id, 'dismiss', { body: { reason: 'a drill' } });
    expect([status, body]).toMatchObject([200, { state: 'dismissed', decided: { by: 'lab:soc', reason: 'a drill' } }]);
    expect((await decide(id, 'dismiss')).body).toEqual(body);
    expectProblem(await decide(id, 'confirm'), 409, 'conflict', /is dismissed/);
    await broker.advance(3_000);
    await broker.work('signals');
    expect(await isGranted('agent-7')).toBe(true);
    expect(await audited('signal.decided')).toMatchObject([
      { actor: { id: 'lab:soc' }, signal: { state: 'dismissed' } },
    ]);
  });

  it('comes too late for what was done', async () => {
    const id = await pending();
    await decide(id, 'confirm');
    expectProblem(await decide(id, 'dismiss'), 409, 'conflict', /is reacted/);
  });

  it('and confirming at once have one outcome, and what is said is what was done', async () => {
    const id = await pending();
    const replies = await Promise.all([decide(id, 'confirm'), decide(id, 'dismiss')]);
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const { state } = await show(id);
    expect(await isGranted('agent-7')).toBe(state === 'dismissed');
  });
});

describe('GET /workloads/{id}/risk', () => {
  const risk = async (path: string, by = soc) => broker.get(`/workloads/${path}/risk`, by);

  it('answers the level, the signal that set it, and what it falls to and when', async () => {
    await broker.exchange(await broker.identity('agent-7'));
    const signal = await tell('agent-7', { event: 'risk-level-change' });
    const { receivedAt } = (await show(signal)) as unknown as { receivedAt: string };
    const { status, body } = await risk('lab:agent-7');
    const set = Date.parse((body as { because: { set: { at: string } } }).because.set.at);
    expect(set).toBeGreaterThanOrEqual(Date.parse(receivedAt));
    expect([status, body]).toEqual([
      200,
      {
        workload: 'lab:agent-7',
        level: 'MEDIUM',
        because: {
          on: { kind: 'workload', value: 'lab:agent-7' },
          level: 'MEDIUM',
          set: { level: 'MEDIUM', at: new Date(set).toISOString() },
          falls: { to: 'LOW', at: new Date(set + 3_600_000).toISOString() },
          why: 'risk-level-change from lab:siem',
          signal,
          event: 'risk-level-change',
          source: 'lab:siem',
        },
        tasks: { looked: 1, all: true, level: 'LOW' },
      },
    ]);
    broker.clock.advance(3_600_000);
    soc = await broker.identity('soc');
    expect((await risk('lab:agent-7')).body).toEqual({
      workload: 'lab:agent-7',
      level: 'LOW',
      tasks: expect.anything(),
    });
  });

  it('of a task of it is listed beside its own', async () => {
    const rules = [{ name: 'distrust', event: 'risk-level-change', do: 'risk', risk: 'HIGH' }];
    ({ broker } = await startSignalBroker({ reactions: rules }));
    soc = await broker.identity('soc');
    const opened = (await broker.exchange(await broker.identity('agent-7'))).body as { task_id: string };
    await tell('', { event: 'risk-level-change', subject: { format: 'opaque', id: opened.task_id } });
    expect((await risk('lab:agent-7')).body).toMatchObject({
      level: 'LOW',
      tasks: {
        looked: 1,
        level: 'HIGH',
        worst: { task: opened.task_id, on: { kind: 'task', value: opened.task_id }, falls: { to: 'MEDIUM' } },
      },
    });
  });

  it('takes an id with slashes, as it is or encoded', async () => {
    const id = 'spiffe://prod.example/ns/x/sa/agent';
    for (const path of [id, encodeURIComponent(id)])
      expectProblem(await risk(path), 400, 'invalid_request', /No configured issuer can prove/);
    expect((await risk(encodeURIComponent('lab:a/b'))).body).toMatchObject({ workload: 'lab:a/b', level: 'LOW' });
    expect((await risk('lab:a/b')).body).toMatchObject({ workload: 'lab:a/b', level: 'LOW' });
  });

  it('is for those whom policy lets read revocations', async () => {
    expectProblem(await risk('lab:agent-7', await broker.identity('agent-7')), 403, 'access_denied');
    expectProblem(await broker.get('/workloads/lab:agent-7/risk'), 401, 'invalid_token');
    expectProblem(await broker.get('/workloads/lab:agent-7/risk?x=1', soc), 400, 'invalid_request');
  });
});
