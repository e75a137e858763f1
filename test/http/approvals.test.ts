/** Requests that wait for people: who sees them, who may answer, and that the first answer stands. Two brokers on one Redis. */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Approval } from '../../src/domain/approval.js';
import { answerOverHttp } from '../support/approvals/answer-over-http.js';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import type { Reply } from '../support/calls.js';
import { expectProblem } from '../support/expect-refusal.js';
import { park, type ParkedWish } from '../support/approvals/written-request.js';
import { audited } from '../support/brokers/signals.js';
import { startRedis } from '../support/redis.js';

const policies = `
@id("members-answer") permit (principal, action == Action::"approve", resource) when { principal in resource.group };
@id("duty-breaks-glass") permit (principal in Group::"duty", action == Action::"breakGlass", resource) unless { context.own };
@id("eve-breaks-her-own") permit (principal == Person::"staff:eve", action == Action::"breakGlass", resource);
@id("the-agent-too") permit (principal in Issuer::"lab", action in [Action::"approve", Action::"breakGlass"], resource);
@id("staff-opens") permit (principal in Issuer::"staff", action == Action::"openTask", resource);`;

let broker: TestBroker;
let other: TestBroker;

beforeAll(async () => {
  const redis = await startRedis();
  broker = await startBroker({ redisUrl: redis.url, policies, config: { owners: { ops: { members: 'ops-people' } } } });
  other = await broker.beside(broker.clock);
});

// Redis has a real clock, and the brokers' must not fall behind it.
beforeEach(async () => {
  await broker.advance(Date.now() - broker.clock.now());
  await other.work('fitness');
});

const person = (sub: string, groups: string[] = ['sre-oncall'], more = {}) => broker.person(sub, { groups, ...more });

interface Shown extends Record<string, unknown> {
  id: string;
  state: string;
  terms: unknown;
  answer: { digest: string; answers: unknown[]; mayAnswerFor: string[]; chain: string[] } & Record<string, unknown>;
}
const shownOf = ({ body }: Reply) => body as Shown;

/** Opens a task of this agent and has it ask for something. */
async function asked(wish: ParkedWish & { team?: string; serves?: string } = {}): Promise<Approval> {
  const { team = 'sre', serves, ...rest } = wish;
  const agent = await broker.identity('agent-7', { team });
  const { body } = await (serves === undefined
    ? broker.post('/tasks', { purpose: 'repair 4711' }, agent)
    : broker.post(
        '/tasks',
        { workload: 'lab:agent-7', principal: serves, purpose: 'repair 4711' },
        await broker.identity('orchestrator'),
      ));
  return park(broker, (body as { id: string }).id, rest);
}

const read = async (id: string, bearer: string, at = broker) => at.get(`/approvals/${id}`, bearer);

const answer = (id: string, bearer: string, said: object = {}, at = broker) => answerOverHttp(at, id, bearer, said);

const stateOf = async (id: string) => shownOf(await read(id, await person('reader'))).state;

describe('an approver', () => {
  it('sees who asks, for whom, what, why, how long, which policy wants it, and what it could touch', async () => {
    const { id, task } = await asked({
      serves: 'staff:bob',
      asked: { access: [{ path: 'incident/4711/attachment/*', actions: ['write'] }] },
    });
    expect(shownOf(await read(id, await person('ann')))).toEqual({
      id,
      state: 'pending',
      task,
      workload: 'lab:agent-7',
      purpose: 'repair 4711',
      target: TICKETS,
      asked: { access: [{ path: 'incident/4711/attachment/*', actions: ['write'] }], lifetimeSeconds: 600 },
      terms: { access: [{ path: 'incident/4711/attachment/*', actions: ['write'] }], lifetimeSeconds: 600 },
      needs: [{ group: 'sre-oncall', approvers: 1 }],
      missing: [{ group: 'sre-oncall', approvers: 1 }],
      askedAt: expect.any(String),
      lapsesAt: expect.any(String),
      answer: {
        digest: expect.stringMatching(/^[\w-]{43}$/),
        onBehalfOf: 'staff:bob',
        chain: ['lab:agent-7', 'lab:orchestrator', 'staff:bob'],
        purposeFrom: 'opener',
        sensitivity: ['restricted'],
        policies: ['writes-need-the-on-call'],
        answers: [],
        mayAnswerFor: ['sre-oncall'],
        mayBreakGlass: false,
      },
    });
  });

  it('agrees, and that is the end of it: a second answer learns the state, whatever it says', async () => {
    const { id } = await asked();
    const first = await answer(id, await person('ann'), { reason: 'ticket 17' });
    expect([first.status, shownOf(first)]).toEqual([
      200,
      expect.objectContaining({ state: 'approved', usableUntil: expect.any(String), missing: [] }),
    ]);
    for (const decision of ['approve', 'deny']) {
      const second = await answer(id, await person('bea'), { decision, reason: 'no' });
      expectProblem(second, 409, 'conflict', 'The approval is approved; only one that is pending can be answered.');
      expect(second.body).toMatchObject({ state: 'approved', retry: 'never' });
    }
  });

  it('refuses with a reason, and that is the end of it too', async () => {
    const { id } = await asked({ needs: [{ group: 'sre-oncall', approvers: 2 }] });
    const ann = await person('ann');
    expectProblem(await answer(id, ann, { decision: 'deny' }), 400, 'invalid_request', /Say why/);
    const denied = await answer(id, ann, { decision: 'deny', reason: 'not at night' });
    expect(shownOf(denied)).toMatchObject({ state: 'denied', reason: 'not at night' });
    const late = await answer(id, await person('bea'));
    expectProblem(late, 409, 'conflict', /is denied/);
    expect(late.body).toMatchObject({ state: 'denied' });
  });

  it.each([
    ['approve', 'approve'],
    ['approve', 'deny'],
    ['deny', 'approve'],
    ['deny', 'deny'],
  ])('of two at once, at two brokers, one wins: %s and %s', async (one, two) => {
    for (let round = 0; round < 8; round += 1) {
      const { id } = await asked();
      const replies = await Promise.all([
        answer(id, await person('ann'), { decision: one, reason: 'x' }, broker),
        answer(id, await person('bea'), { decision: two, reason: 'x' }, other),
      ]);
      expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
      const winner = shownOf(replies.find(({ status }) => status === 200)!);
      const loser = replies.find(({ status }) => status === 409)!;
      expect(loser.body).toMatchObject({ code: 'conflict', state: winner.state });
      const said = replies[0].status === 200 ? one : two;
      expect(winner.state).toBe(said === 'approve' ? 'approved' : 'denied');
      const { answers } = shownOf(await read(id, await person('reader'))).answer;
      expect(answers).toHaveLength(1);
    }
  });

  it.each([
    ['approve', 'approval.answered'],
    ['deny', 'approval.answered'],
    ['emergency', 'approval.emergency'],
  ])('is heard of once, however often they %s at once', async (decision, type) => {
    const { id } = await asked();
    const dee = await person('dee', ['sre-oncall', 'duty']);
    const { digest } = shownOf(await read(id, dee)).answer;
    const said = { decision, digest, reason: 'now' };
    const replies = await Promise.all(
      Array.from({ length: 12 }, () => broker.post(`/approvals/${id}/decision`, said, dee)),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(11).fill(409)]);
    const entries = await audited(broker, type);
    expect(entries.filter(({ approval }) => approval?.id === id)).toHaveLength(1);
  });

  it('agrees to less, and never to more', async () => {
    const { id } = await asked({ asked: { access: [{ path: 'incident/*', actions: ['read', 'write'] }] } });
    const ann = await person('ann');
    const wider = [
      { lifetimeSeconds: 601 },
      { access: [{ path: 'incident/**', actions: ['read'] }] },
      { access: [{ path: 'incident/1', actions: ['export'] }] },
      { access: [{ path: 'customer/1', actions: ['read'] }] },
      { access: [{ path: 'incident/1', actions: ['read'] }], lifetimeSeconds: 6_000 },
    ];
    for (const said of wider)
      expectProblem(await answer(id, ann, said), 400, 'invalid_request', /An answer can only take away/);
    expectProblem(await answer(id, ann, { access: [{ path: '../x', actions: ['read'] }] }), 400, 'invalid_request');
    const less = { access: [{ path: 'incident/4711', actions: ['read'] }], lifetimeSeconds: 60 };
    expect(shownOf(await answer(id, ann, less))).toMatchObject({ state: 'approved', terms: less });
  });

  it('must have read what stands: another digest, or what another made of it meanwhile, is refused', async () => {
    const { id } = await asked({ needs: [{ group: 'sre-oncall', approvers: 2 }] });
    const [ann, bea] = [await person('ann'), await person('bea')];
    expectProblem(await answer(id, ann, { digest: 'x' }), 409, 'conflict', /not as it was shown/);
    const { digest } = shownOf(await read(id, bea)).answer;
    await answer(id, ann, { lifetimeSeconds: 60 });
    const stale = await answer(id, bea, { digest });
    expectProblem(stale, 409, 'conflict', /not as it was shown/);
    expect(stale.body).toMatchObject({ state: 'pending' });
    expect(shownOf(await answer(id, bea))).toMatchObject({ state: 'approved', terms: { lifetimeSeconds: 60 } });
  });

  it('is too late once it has lapsed, and once its task is over', async () => {
    const lapsed = await asked({ lapsesAt: broker.clock.now() + 1 });
    broker.clock.advance(2);
    const late = await answer(lapsed.id, await person('ann'));
    expectProblem(late, 409, 'conflict', /is expired/);
    expect(late.body).toMatchObject({ state: 'expired' });
    const ended = await asked();
    await broker.post(`/tasks/${ended.task}/complete`, { outcome: 'completed' }, await broker.identity('agent-7'));
    const gone = await answer(ended.id, await person('ann'));
    expectProblem(gone, 409, 'conflict', /is cancelled/);
    expect(gone.body).toMatchObject({ state: 'cancelled' });
  });

  it('who was cut off or held a second ago answers nothing, with a token from before', async () => {
    const { id } = await asked();
    const [cut, held, after] = [await person('cut'), await person('held'), await person('ann')];
    const soc = await broker.identity('soc');
    const revoke = (value: string, effect: string) =>
      broker.post('/revocations', { selector: { kind: 'principal', value }, effect, reason: 'x', unseen: true }, soc);
    expect((await revoke('staff:cut', 'cutoff')).status).toBe(200);
    expect((await revoke('staff:held', 'hold')).status).toBe(200);
    expectProblem(await answer(id, cut), 403, 'access_denied', /cut off after the token was issued/);
    expectProblem(await answer(id, held), 403, 'access_denied', /A hold is in force/);
    expect((await answer(id, after)).status).toBe(200);
  });
});

describe('nobody agrees to their own request', () => {
  it.each([
    ['whom it serves', 'bob', {}],
    ['whom it serves, by another name with the same address', 'bob-2', { email: 'Bob@staff.example' }],
  ])('%s', async (_, sub, claims) => {
    const principal = {
      kind: 'person',
      id: 'staff:bob',
      issuer: 'staff',
      claims: { email: 'bob@staff.example' },
    } as const;
    const { id } = await asked({ principal });
    expectProblem(
      await answer(id, await person(sub, ['sre-oncall'], claims)),
      403,
      'access_denied',
      /your own request/,
    );
    expect(await stateOf(id)).toBe('pending');
  });

  it('who opened the task, whoever it serves', async () => {
    const opener = await person('olga');
    const { body } = await broker.post('/tasks', { workload: 'lab:agent-7', purpose: 'x' }, opener);
    const { id } = await park(broker, (body as { id: string }).id);
    expectProblem(await answer(id, opener), 403, 'access_denied', /your own request/);
  });

  it.each([
    ['by another name with the same address', 'olga-2', 'Olga@staff.example'],
    ['by their own name, whose address is another now', 'olga', 'new@staff.example'],
  ])('who opened the task, or one above it, %s', async (_, sub, email) => {
    const opener = await person('olga', [], { email: 'olga@staff.example' });
    const same = await person(sub, ['sre-oncall'], { email });
    const open = async (by: string, more: object) =>
      ((await broker.post('/tasks', { purpose: 'x', ...more }, by)).body as { id: string }).id;
    const root = await open(opener, { workload: 'lab:agent-7' });
    const below = await open(await broker.identity('orchestrator'), { workload: 'lab:agent-8', parent: root });
    for (const [agent, task_id] of [
      ['agent-7', root],
      ['agent-8', below],
    ] as const) {
      const wish = { scope: 'incident/4711:export', task_id, purpose: undefined };
      const { body } = await broker.exchange(await broker.identity(agent), wish);
      const { approval_id: id } = body as { approval_id: string };
      expectProblem(await answer(id, same), 403, 'access_denied', /your own request/);
      const eve = await person('eve', ['sre-oncall'], { email: 'eve@staff.example' });
      expect(shownOf(await answer(id, eve))).toMatchObject({ state: 'approved' });
    }
  });

  it('an agent, whatever policy says, and the one that asks sees no more than what becomes of it', async () => {
    const { id } = await asked();
    await answer(id, await person('zoe', []), {});
    const agent = await broker.identity('agent-7');
    expect(shownOf(await read(id, agent))).not.toHaveProperty('answer');
    expectProblem(await answer(id, agent), 403, 'access_denied', /Only a person/);
    expectProblem(await read(id, await broker.identity('agent-8')), 404, 'not_found');
  });
});

it.each([
  ['act', { sub: 'agent-7' }],
  ['act', { sub: 'agent-8', act: { sub: 'agent-7' } }],
  ['act', 'agent-7'],
  ['act', null],
  ['may_act', { sub: 'agent-7' }],
])('a token of a person that an agent holds, by its %s, answers nothing: %j', async (claim, value) => {
  const { id } = await asked();
  const held = await person('zoe', ['sre-oncall', 'duty'], { [claim]: value });
  const reason = 'it said so';
  for (const said of [{}, { decision: 'deny', reason }, { decision: 'emergency', reason }])
    expectProblem(await answer(id, held, said), 403, 'access_denied', /somebody acts for you/);
  expect(shownOf(await answer(id, await person('zoe')))).toMatchObject({ state: 'approved' });
});

it('a token of a person that an agent holds closes no review', async () => {
  const { id } = await asked();
  await answer(id, await person('dan', ['duty']), { decision: 'emergency', reason: 'it burns' });
  const held = await person('zoe', ['sre-oncall'], { act: { sub: 'agent-7' } });
  expectProblem(
    await broker.post(`/approvals/${id}/review`, { note: 'fine' }, held),
    403,
    'access_denied',
    /somebody acts for you/,
  );
  expect((await broker.post(`/approvals/${id}/review`, { note: 'fine' }, await person('zoe'))).status).toBe(200);
});

describe('separation of duties', () => {
  it('the team of the agent cannot agree alone, however many of it agree; with somebody else it can', async () => {
    const { id } = await asked({ needs: [{ group: 'sre-oncall', approvers: 2 }] });
    for (const sub of ['ann', 'bea'])
      expect(shownOf(await answer(id, await person(sub, ['sre-oncall', 'sre'])))).toMatchObject({ state: 'pending' });
    expectProblem(
      await answer(id, await person('cid', ['sre-oncall', 'sre'])),
      409,
      'conflict',
      /Nobody of your groups/,
    );
    expect(shownOf(await answer(id, await person('dan')))).toMatchObject({ state: 'approved' });
  });

  it('one of the team is not enough where one is wanted, and may refuse alone', async () => {
    const { id } = await asked();
    const ann = await person('ann', ['sre-oncall', 'sre']);
    expect(shownOf(await answer(id, ann))).toMatchObject({ state: 'pending', missing: [] });
    expect(shownOf(await answer(id, await person('dan')))).toMatchObject({ state: 'approved' });
    const next = await asked();
    expect(shownOf(await answer(next.id, ann, { decision: 'deny', reason: 'x' }))).toMatchObject({ state: 'denied' });
  });

  const boss = { kind: 'workload', id: 'lab:boss', issuer: 'lab', owner: 'trading' } as const;
  it.each<[string, ParkedWish & { team?: string }]>([
    ['asks', { team: 'trading' }],
    ['opened its task', { openedBy: boss }],
    ['handed the task on', { chain: [boss] }],
    ['stands above that one', { chain: [{ ...boss, owner: 'sales' }, boss] }],
  ])('the team whose agent %s does not agree alone', async (_, wish) => {
    const { id } = await asked(wish);
    expect(shownOf(await answer(id, await person('ann', ['sre-oncall', 'trading'])))).toMatchObject({
      state: 'pending',
    });
    expect(shownOf(await answer(id, await person('dan')))).toMatchObject({ state: 'approved' });
  });

  it('the group of a team may have another name', async () => {
    const { id } = await asked({ team: 'ops' });
    expect(shownOf(await answer(id, await person('ann', ['sre-oncall', 'ops-people'])))).toMatchObject({
      state: 'pending',
    });
    expect(shownOf(await answer(id, await person('bea', ['sre-oncall', 'ops'])))).toMatchObject({ state: 'approved' });
  });
});

describe('several persons', () => {
  it('two different ones, and nobody twice', async () => {
    const { id } = await asked({ needs: [{ group: 'sre-oncall', approvers: 2 }] });
    const email = 'ann@staff.example';
    expect(shownOf(await answer(id, await person('ann', undefined, { email })))).toMatchObject({
      state: 'pending',
      missing: [{ group: 'sre-oncall', approvers: 1 }],
    });
    expectProblem(await answer(id, await person('ann', undefined, { email })), 409, 'conflict', /answered already/);
    // An identity provider may call a person otherwise for every client.
    const alias = await person('ann-2', undefined, { email: 'Ann@staff.example' });
    expectProblem(await answer(id, alias), 409, 'conflict', /answered already/);
    expect(shownOf(await answer(id, await person('bea')))).toMatchObject({ state: 'approved' });
  });

  it('one in two groups counts for one of them, and stands back for whoever is in one alone', async () => {
    const { id } = await asked({
      needs: [
        { group: 'finance', approvers: 1 },
        { group: 'sre-oncall', approvers: 1 },
      ],
    });
    const both = await answer(id, await person('ann', ['finance', 'sre-oncall']));
    expect(shownOf(both)).toMatchObject({ state: 'pending' });
    // Whoever came first stood for finance; the next can only stand for finance.
    expect(shownOf(await answer(id, await person('fay', ['finance'])))).toMatchObject({ state: 'approved' });
  });
});

describe('the list', () => {
  const page = async (bearer: string, query = '') =>
    (await broker.get(`/approvals?${query}`, bearer)).body as { approvals: Shown[]; next?: string };

  async function all(bearer: string, limit: number) {
    const [ids, cursors]: [string[], string[]] = [[], []];
    for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
      const { approvals, next } = await page(bearer, `limit=${limit}${after === undefined ? '' : `&after=${after}`}`);
      ids.push(...approvals.map(({ id }) => id));
      if (next !== undefined) cursors.push(next);
      after = next;
    }
    return { ids, cursors };
  }

  it('has what the caller may answer, or has asked for, on as many pages as it takes, and names nothing else', async () => {
    const mine = await Promise.all([1, 2, 3].map(() => asked({ needs: [{ group: 'list-a', approvers: 1 }] })));
    const others = await Promise.all([1, 2, 3].map(() => asked({ needs: [{ group: 'list-b', approvers: 1 }] })));
    const ann = await person('ann', ['list-a']);
    const { ids, cursors } = await all(ann, 1);
    expect(ids.toSorted()).toEqual(mine.map(({ id }) => id).toSorted());
    for (const { id } of others) expect(cursors.join(' ')).not.toContain(id);
    const agent = await all(await broker.identity('agent-7'), 200);
    for (const { id } of [...mine, ...others]) expect(agent.ids).toContain(id);
    expect((await all(await broker.identity('agent-8'), 200)).ids).toEqual([]);
    expect((await all(await person('zoe', []), 200)).ids).toEqual([]);
  });

  it('has only what waits: not what was answered, has lapsed, or whose task is over', async () => {
    const needs = [{ group: 'list-c', approvers: 1 }];
    const cid = await person('cid', ['list-c']);
    await asked({ needs, lapsesAt: broker.clock.now() + 1 });
    const [answered, ended, open] = [await asked({ needs }), await asked({ needs }), await asked({ needs })];
    await answer(answered.id, cid);
    await broker.post(`/tasks/${ended.task}/complete`, { outcome: 'completed' }, await broker.identity('agent-7'));
    broker.clock.advance(2);
    expect((await all(cid, 50)).ids).toEqual([open.id]);
  });

  it.each(['state=approved', 'limit=0', 'limit=201', 'after=x', 'after=1.tsk_aabbbbbbbbbbbbbb', 'unknown=1'])(
    'is 400 for %s',
    async (query) => {
      expectProblem(await broker.get(`/approvals?${query}`, await person('ann')), 400, 'invalid_request');
    },
  );
});
