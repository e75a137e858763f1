/** Break-glass: named persons agree in the place of everybody, everybody hears of it, and somebody else looks at it afterwards. */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Approval } from '../../src/domain/approval.js';
import { answerOverHttp } from '../support/approvals/answer-over-http.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import type { Reply } from '../support/calls.js';
import { expectProblem } from '../support/expect-refusal.js';
import { park, type ParkedWish } from '../support/approvals/written-request.js';
import { startReceiver, type Receiver } from '../support/receiver.js';
import { startRedis } from '../support/redis.js';

const policies = `
@id("members-answer") permit (principal, action == Action::"approve", resource) when { principal in resource.group };
@id("duty-breaks-glass") permit (principal in Group::"duty", action == Action::"breakGlass", resource) unless { context.own };
@id("eve-breaks-her-own") permit (principal == Person::"staff:eve", action == Action::"breakGlass", resource);
@id("half-a-glass") permit (principal == Person::"staff:hal", action == Action::"breakGlass", resource)
  when { resource.group == Group::"sre-oncall" };`;

let broker: TestBroker;
let receiver: Receiver;

beforeAll(async () => {
  const redis = await startRedis();
  receiver = await startReceiver();
  // One asks for approvals, the other for something else.
  const notify = [
    { name: 'pager', url: receiver.url, types: ['approval'] },
    { name: 'siem', url: receiver.url, types: ['keys'] },
  ];
  broker = await startBroker({ redisUrl: redis.url, policies, config: { notify } });
});

// Redis has a real clock, and the broker's must not fall behind it.
beforeEach(() => broker.advance(Date.now() - broker.clock.now()));

const person = (sub: string, groups: string[] = []) => broker.person(sub, { groups });

async function asked(wish: ParkedWish & { serves?: string } = {}): Promise<Approval> {
  const { serves, ...rest } = wish;
  const opening = {
    workload: 'lab:agent-7',
    purpose: 'repair 4711',
    ...(serves !== undefined && { principal: serves }),
  };
  const { body } = await broker.post('/tasks', opening, await broker.identity('orchestrator'));
  return park(broker, (body as { id: string }).id, rest);
}

interface Shown extends Record<string, unknown> {
  id: string;
  state: string;
  terms: { lifetimeSeconds: number };
  answer?: Record<string, unknown> & { digest: string };
}
const shownOf = ({ body }: Reply) => body as Shown;
const read = async (id: string, bearer: string) => shownOf(await broker.get(`/approvals/${id}`, bearer));

const declare = (id: string, bearer: string, said: object = { reason: 'the shop is down' }): Promise<Reply> =>
  answerOverHttp(broker, id, bearer, { decision: 'emergency', ...said });
const review = (id: string, bearer: string, note = 'it was right') =>
  broker.post(`/approvals/${id}/review`, { note }, bearer);

const openReviews = async (bearer: string) => {
  const { body } = await broker.get('/approvals?state=review', bearer);
  return (body as { approvals: Shown[] }).approvals.map(({ id }) => id);
};
const metric = async (name: string) => {
  const text = await (await fetch(`${broker.operationsUrl}/metrics`)).text();
  return Number(new RegExp(`^${name.replaceAll(/[{}"]/g, '\\$&')} (.*)$`, 'm').exec(text)?.[1]);
};

describe('an emergency', () => {
  it('needs nobody else, and its credential is short', async () => {
    const { id } = await asked({
      needs: [
        { group: 'finance', approvers: 2 },
        { group: 'sre-oncall', approvers: 1 },
      ],
    });
    const declared = await declare(id, await person('dee', ['duty']));
    expect([declared.status, shownOf(declared)]).toMatchObject([
      200,
      { state: 'approved', terms: { lifetimeSeconds: 300 }, answer: { review: { openedAt: expect.any(String) } } },
    ]);
  });

  it('may be for less, and for a shorter time yet', async () => {
    const { id } = await asked();
    const terms = { access: [{ path: 'incident/4711', actions: ['read'] }], lifetimeSeconds: 30 };
    expect(shownOf(await declare(id, await person('dee', ['duty']), { ...terms, reason: 'x' }))).toMatchObject({
      state: 'approved',
      terms,
    });
  });

  it('is not declared without a reason, nor to something else than was read', async () => {
    const { id } = await asked();
    const dee = await person('dee', ['duty']);
    expectProblem(await declare(id, dee, {}), 400, 'invalid_request', /Say why/);
    expectProblem(await declare(id, dee, { reason: 'x', digest: 'y' }), 409, 'conflict', /not as it was shown/);
    expect((await read(id, dee)).state).toBe('pending');
  });

  it('is for those whom policy names, for every group that is wanted; members of the group are not among them', async () => {
    const both = await asked({
      needs: [
        { group: 'finance', approvers: 1 },
        { group: 'sre-oncall', approvers: 1 },
      ],
    });
    expectProblem(await declare(both.id, await person('ann', ['sre-oncall'])), 403, 'access_denied', /in an emergency/);
    expectProblem(await declare(both.id, await person('hal')), 404, 'not_found');
    const one = await asked();
    expect((await declare(one.id, await person('hal'))).status).toBe(200);
    const agent = await broker.identity('agent-7');
    expectProblem(await declare((await asked()).id, agent), 403, 'access_denied', /Only a person/);
  });

  it('whom the request serves declares it only where policy permits that', async () => {
    for (const [sub, status] of [
      ['dee', 404],
      ['eve', 200],
    ] as const) {
      const principal = { kind: 'person', id: `staff:${sub}`, issuer: 'staff' } as const;
      const { id } = await asked({
        principal: sub === 'dee' ? { ...principal, id: 'staff:x', claims: { email: 'dee@x' } } : principal,
      });
      const bearer = await broker.person(sub, { groups: ['duty'], email: `${sub}@x` });
      expect((await declare(id, bearer)).status).toBe(status);
    }
  });

  it('is final: nobody can refuse it afterwards, and after a refusal there is none', async () => {
    const [dee, ann] = [await person('dee', ['duty']), await person('ann', ['sre-oncall'])];
    const { id } = await asked();
    await declare(id, dee);
    const no = { decision: 'deny', reason: 'x' };
    expectProblem(await answerOverHttp(broker, id, ann, no), 409, 'conflict', /is approved/);
    const refused = await asked();
    await answerOverHttp(broker, refused.id, ann, no);
    expectProblem(await declare(refused.id, dee), 409, 'conflict', /is denied/);
  });

  it('whoever has agreed already may declare it, when the others do not come', async () => {
    const { id } = await asked({ needs: [{ group: 'sre-oncall', approvers: 2 }] });
    const dee = await person('dee', ['duty', 'sre-oncall']);
    await answerOverHttp(broker, id, dee);
    expect(shownOf(await declare(id, dee))).toMatchObject({ state: 'approved' });
  });
});

describe('everybody hears of it', () => {
  it('every webhook, whatever it asks for; the audit log, the log and the metrics too', async () => {
    await broker.work('notify');
    receiver.received.length = 0;
    const { id, task } = await asked();
    const before = await metric('mayfly_approval_answers_total{says="emergency"}');
    await declare(id, await person('dee', ['duty']), { reason: 'SECRET REASON' });
    await broker.work('notify');
    const alarms = receiver.received.filter(({ event }) => event.type === 'mayfly.approval.emergency');
    expect(alarms).toHaveLength(2);
    expect(alarms[0]?.event).toMatchObject({
      subject: `approval:${id}`,
      data: {
        severity_id: 5,
        message: expect.stringContaining(`${id}: EMERGENCY declared by staff:dee: lab:agent-7 at`),
        metadata: { correlation_uid: id },
        actor: { user: { uid: 'staff:dee' } },
        unmapped: {
          task,
          access: [{ path: 'incident/4711', actions: ['read', 'write'] }],
          approval: { id, says: 'emergency', complete: true, lifetimeSeconds: 300 },
          link: expect.stringMatching(new RegExp(`^http://127\\.0\\.0\\.1:\\d+/approvals/${id}$`)),
        },
      },
    });
    // What people and agents write stays in the audit log.
    expect(alarms[0]?.body).not.toMatch(/SECRET REASON|repair 4711/);
    expect(await metric('mayfly_approval_answers_total{says="emergency"}')).toBe(before + 1);
    expect(broker.logged()).toMatch(
      new RegExp(`"level":"warn"[^\\n]*"approval":"${id}"[^\\n]*somebody has declared an emergency`),
    );
    const { body } = await broker.get('/audit?limit=1000', await broker.identity('soc'));
    const lines = (body as { lines: string[] }).lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ type }) => type === 'approval.emergency').at(-1)).toMatchObject({
      actor: { id: 'staff:dee' },
      reason: 'SECRET REASON',
      approval: { id },
    });
  });
});

it('what waits is counted, and for how long', async () => {
  const requested = await metric('mayfly_approval_questions_total{event="requested"}');
  await broker.work('counts');
  const waiting = await metric('mayfly_approvals_waiting');
  await broker.exchange(await broker.identity('agent-7'), { scope: 'incident/99:export' });
  await broker.advance(60_000);
  await broker.work('counts');
  expect(await metric('mayfly_approval_questions_total{event="requested"}')).toBe(requested + 1);
  expect(await metric('mayfly_approvals_waiting')).toBe(waiting + 1);
  expect(await metric('mayfly_approval_age_seconds')).toBeGreaterThanOrEqual(60);
});

describe('its review', () => {
  it('stays open until somebody else closes it, with a note', async () => {
    const [dee, ann] = [await person('dee', ['duty', 'sre-oncall']), await person('ann', ['sre-oncall'])];
    const { id } = await asked();
    await declare(id, dee);
    expect(await openReviews(ann)).toContain(id);
    await broker.work('counts');
    const open = await metric('mayfly_approval_reviews_open');
    expect(open).toBeGreaterThan(0);
    expect(await metric('mayfly_approval_review_age_seconds')).toBeGreaterThanOrEqual(0);

    expectProblem(await review(id, dee), 403, 'access_denied', /You have declared the emergency/);
    expectProblem(await review(id, await person('hal')), 403, 'access_denied', /No policy lets you answer/);
    expectProblem(await review(id, await person('stranger')), 404, 'not_found');
    expectProblem(await review(id, await broker.identity('agent-7')), 403, 'access_denied', /Only a person/);
    expect(await openReviews(ann)).toContain(id);

    const closed = await review(id, ann, 'the disk was full');
    expect(shownOf(closed).answer?.['review']).toMatchObject({
      closed: { by: 'staff:ann', note: 'the disk was full' },
    });
    expect(await openReviews(ann)).not.toContain(id);
    expectProblem(await review(id, ann), 409, 'conflict', /closed already/);
    await broker.work('counts');
    expect(await metric('mayfly_approval_reviews_open')).toBe(open - 1);
  });

  it('is of emergencies alone', async () => {
    const { id } = await asked();
    expectProblem(await review(id, await person('ann', ['sre-oncall'])), 409, 'conflict', /nothing to review/);
  });

  it('is not for whom the request serves', async () => {
    const principal = { kind: 'person', id: 'staff:pat', issuer: 'staff' } as const;
    const { id } = await asked({ principal });
    await declare(id, await person('dee', ['duty']));
    expectProblem(await review(id, await person('pat', ['sre-oncall'])), 403, 'access_denied', /your own request/);
  });
});
