/** Runs: what one run of a workload asks for is one task, and a platform ends it without ever having seen it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { expectOAuthRefusal, expectProblem } from '../support/expect-refusal.js';
import { createIssuer, type TestIssuer } from '../support/issuers/issuer.js';

const POLICIES = `
@id("ci-reads") permit (principal in Issuer::"ci", action == Action::"read", resource);
@id("ci-opens") permit (principal in Issuer::"ci", action == Action::"openTask", resource);
@id("ci-ends-its-own") permit (principal in Issuer::"ci", action == Action::"completeRun", resource) when { context.own };
@id("platform") permit (principal == Workload::"lab:platform", action == Action::"completeRun", resource)
  when { context.issuer == "ci" && !context.own };
@id("admin") permit (principal == Workload::"lab:admin", action == Action::"completeRun", resource);
@id("opens") permit (principal == Workload::"lab:opener", action == Action::"openTask", resource);
@id("lists") permit (principal == Workload::"lab:platform", action == Action::"readTask", resource);`;

let broker: TestBroker;
let ci: TestIssuer;
let platform: string;
let api: string;

beforeAll(async () => {
  const clock = handClock();
  ci = await createIssuer({ clock, url: 'https://ci.example' });
  const file = join(temporaryDirectory(), 'ci.json');
  writeFileSync(file, JSON.stringify(ci.jwks()));
  const trust = [{ name: 'ci', kind: 'oidc', issuer: ci.url, jwks: { file }, run: 'run_id' }];
  broker = await startBroker({ clock, trust, policies: POLICIES });
  platform = await broker.identity('platform');
  api = await broker.identity('tickets-api');
});

const job = (run_id: string, sub = 'deploy') => ci.token({ sub, run_id, aud: broker.url });
const ask = async (run: string, wish: Record<string, string | undefined> = {}, sub?: string) =>
  broker.exchange(await job(run, sub), { purpose: 'deploy', scope: 'incident/4711:read', ...wish });
interface Granted {
  access_token: string;
  task_id: string;
}
async function granted(...asked: Parameters<typeof ask>): Promise<Granted> {
  const { status, body, text } = await ask(...asked);
  if (status !== 200) throw new Error(text);
  return body as Granted;
}
const complete = (run: string, more: object = {}, bearer = platform) =>
  broker.post('/runs/complete', { issuer: 'ci', run, ...more }, bearer);
const isActive = async ({ access_token: token }: Granted) =>
  ((await broker.introspect(token, api)).body as { active: boolean }).active;
const tasksOf = async (run: string) =>
  ((await broker.get(`/tasks?issuer=ci&run=${run}`, platform)).body as { tasks: object[] }).tasks;

describe('POST /runs/complete', () => {
  it('ends every task that the run opened, whatever its purpose, and refuses the run from then on', async () => {
    const [one, other] = [await granted('1'), await granted('1', { purpose: 'test' })];
    const own = await broker.post('/tasks', { purpose: 'opened ahead' }, await job('1'));
    const { id } = own.body as { id: string };
    const named = { purpose: undefined, task_id: id };
    const third = await granted('1', named);
    expect(await tasksOf('1')).toHaveLength(3);

    const done = await complete('1', { outcome: 'failed', reason: 'the job was cancelled' });
    expect(done.body).toMatchObject({
      run: 'ci:1',
      state: 'failed',
      revocation: {
        selector: { kind: 'run', value: 'ci:1' },
        effect: 'end',
        reason: 'the job was cancelled',
        affected: { tasks: 3, credentials: 3, byTarget: { [TICKETS]: 3 } },
      },
    });
    for (const credential of [one, other, third]) expect(await isActive(credential)).toBe(false);
    expect(await tasksOf('1')).toEqual([]);
    const read = await broker.get(`/tasks/${one.task_id}`, platform);
    expect(read.body).toMatchObject({ run: 'ci:1', state: 'failed', reason: 'the job was cancelled' });
    expectOAuthRefusal(await ask('1'), 400, 'invalid_grant', /^The run that the token names has ended: failed\.$/);
    expectOAuthRefusal(await ask('1', named), 400, 'invalid_grant', /^The run that the token names has ended/);
    const late = await broker.post('/tasks', { purpose: 'late' }, await job('1'));
    expectProblem(late, 400, 'invalid_grant', /^The run that the token names has ended/);
  });

  it('leaves every other run alone, also of the same workload, and the same name at another issuer', async () => {
    const [ended, beside, foreign] = [
      await granted('2'),
      await granted('3'),
      await broker.exchange(await broker.identity('agent-7', { run_id: '2' })),
    ];
    await complete('2');
    expect(await isActive(ended)).toBe(false);
    expect(await isActive(beside)).toBe(true);
    expect(await isActive(foreign.body as Granted)).toBe(true);
    expect((await granted('3')).task_id).toBe(beside.task_id);
  });

  it('ends the run at its issuer: workloads that name it alike end together', async () => {
    const [one, other] = [await granted('4'), await granted('4', {}, 'build')];
    expect(other.task_id).not.toBe(one.task_id);
    expect((await complete('4')).body).toMatchObject({ revocation: { affected: { tasks: 2 } } });
    expect([await isActive(one), await isActive(other)]).toEqual([false, false]);
  });

  it('may be repeated: the first outcome stands, and nothing is published anew', async () => {
    await granted('5');
    const first = await complete('5', { outcome: 'cancelled' });
    expect(first.body).toMatchObject({ state: 'cancelled', revocation: { effect: 'end' } });
    const again = await complete('5');
    expect([again.status, again.body]).toEqual([200, { run: 'ci:5', state: 'cancelled', revocation: null }]);
  });

  it('of a run that nobody knows answers with nothing affected, and the run cannot begin any more', async () => {
    const done = await complete('6');
    expect(done.body).toMatchObject({
      run: 'ci:6',
      state: 'completed',
      revocation: { affected: { tasks: 0, credentials: 0 } },
    });
    expectOAuthRefusal(await ask('6'), 400, 'invalid_grant', /has ended: completed/);
  });

  it('leaves alone what another run has opened with the same Idempotency-Key', async () => {
    const open = async (run: string) => {
      const key = { 'idempotency-key': 'deploy' };
      const reply = await broker.post('/tasks', { purpose: 'deploy' }, await job(run), key);
      return (reply.body as { id: string }).id;
    };
    const [first, other] = [await open('20'), await open('21')];
    expect(await open('20')).toBe(first);
    await complete('20');
    expect((await broker.get(`/tasks/${other}`, platform)).body).toMatchObject({ run: 'ci:21', state: 'open' });
  });

  it('is for the run itself, by its own token, and for no other run of its workload', async () => {
    await granted('7');
    expectProblem(await complete('7', {}, await job('8')), 403, 'access_denied', /No policy permits "completeRun"/);
    expect((await complete('7', {}, await job('7'))).body).toMatchObject({ state: 'completed' });
    expect((await complete('7', {}, await job('7'))).body).toMatchObject({ state: 'completed', revocation: null });
  });

  it('ends no task that somebody else opened, though the run works under it; what it asks for later is refused', async () => {
    const opener = await broker.identity('opener');
    const reply = await broker.post('/tasks', { workload: 'ci:deploy', purpose: 'whole' }, opener);
    const named = { purpose: undefined, task_id: (reply.body as { id: string }).id };
    const before = await granted('10', named);
    await complete('10');
    expect(await isActive(before)).toBe(true);
    expectOAuthRefusal(await ask('10', named), 400, 'invalid_grant', /^The run that the token names has ended/);
    expect(await isActive(await granted('11', named))).toBe(true);
  });

  it.each([
    ['an issuer that nobody trusts', { issuer: 'cii' }, /No tokens of the issuer "cii".*Did you mean ci\?$/],
    [
      'an issuer with the begin of a run in it, about which policy would be asked',
      { issuer: 'ci:a', run: 'b' },
      /"ci:a"/,
    ],
    ['an issuer of persons', { issuer: 'staff' }, /stands for workloads/],
    ['an outcome that cannot be declared', { outcome: 'revoked' }, /outcome/],
    ['an empty run', { run: '' }, /run/],
    ['a run that is a number', { run: 4711 }, /run/],
    ['an unknown field', { workload: 'ci:deploy' }, /workload/],
  ])('with %s is 400', async (_, more, detail) => {
    const admin = await broker.identity('admin');
    expectProblem(await complete('9', more, admin), 400, 'invalid_request', detail);
  });
});

describe('a run that the token names where none is configured', () => {
  const byClaims = async (claims: Record<string, unknown>, wish: Record<string, string | undefined> = {}) =>
    broker.exchange(await broker.identity('agent-7', claims), wish);
  const taskOf = async (...asked: Parameters<typeof byClaims>) => {
    const { status, body, text } = await byClaims(...asked);
    if (status !== 200) throw new Error(text);
    return (body as Granted).task_id;
  };

  it('is its claim "run", else its claim "task", as text or number', async () => {
    const first = await taskOf({ run: 'r-1' });
    expect(await taskOf({ run: 'r-1', task: 't-1' })).toBe(first);
    expect(await taskOf({ run: 'r-2' })).not.toBe(first);
    const second = await taskOf({ task: 17 });
    expect(await taskOf({ task: '17' })).toBe(second);
    expect(await taskOf({})).not.toBe(await taskOf({}));
  });

  it('is completed like any other', async () => {
    await taskOf({ run: 'r-3' });
    const admin = await broker.identity('admin');
    await broker.post('/runs/complete', { issuer: 'lab', run: 'r-3' }, admin);
    expectOAuthRefusal(await byClaims({ run: 'r-3' }), 400, 'invalid_grant', /has ended: completed/);
  });

  it('is a task that was opened for the workload, where the claim is its id; and no task of another', async () => {
    const orchestrator = await broker.identity('orchestrator');
    const open = async (workload: string) =>
      ((await broker.post('/tasks', { workload, purpose: 'ahead' }, orchestrator)).body as { id: string }).id;
    const [mine, foreign] = [await open('lab:agent-7'), await open('lab:agent-9')];
    expect(await taskOf({ task: mine })).toBe(mine);
    expectOAuthRefusal(await byClaims({ task: foreign }), 400, 'invalid_grant', /No open task of this workload/);
    await broker.post(`/tasks/${mine}/complete`, { outcome: 'completed' }, orchestrator);
    expectOAuthRefusal(await byClaims({ task: mine }), 400, 'invalid_grant', /The task has ended: completed/);
  });

  it.each([
    ['an object', { id: 'x' }],
    ['a list', ['r-1']],
    ['a fraction', 1.5],
    ['null', null],
    ['an empty text', ''],
    ['a text that is no name', 'r\n1'],
  ])('that is %s refuses the token', async (_, run) => {
    expectOAuthRefusal(await byClaims({ run }), 400, 'invalid_request', /a claim run for its run/);
    expectOAuthRefusal(await byClaims({ task: run }), 400, 'invalid_request', /a claim task for its run/);
  });
});
