/** /tasks: opened, read, kept alive, suspended, resumed and ended by those whom policy lets. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { expectProblem } from '../support/expect-refusal.js';

let broker: TestBroker;
let agent: string;
let orchestrator: string;
let api: string;

interface TaskBody {
  id: string;
  state: string;
  openedAt: string;
  deadline: string;
}

beforeAll(async () => {
  broker = await startBroker({ config: { limits: { perWorkloadPerMinute: 10_000 } } });
  agent = await broker.identity('agent-7', { expiresInSeconds: 86_400 });
  orchestrator = await broker.identity('orchestrator', { expiresInSeconds: 86_400 });
  api = await broker.identity('tickets-api', { expiresInSeconds: 86_400 });
});

const read = { type: 'task_access', locations: [TICKETS], identifier: 'incident/**', actions: ['read'] };
const wish = { workload: 'lab:agent-7', purpose: 'summarise incident 4711' };

async function open(more: object = {}, bearer = orchestrator): Promise<TaskBody> {
  const reply = await broker.post('/tasks', { ...wish, ...more }, bearer);
  expect(reply.status).toBe(201);
  return reply.body as TaskBody;
}

async function credentialUnder(task: TaskBody): Promise<string> {
  const { body } = await broker.exchange(agent, { purpose: undefined, task_id: task.id });
  return (body as { access_token: string }).access_token;
}

const isActive = async (token: string) => ((await broker.introspect(token, api)).body as { active: boolean }).active;
const verb = (task: TaskBody, name: string, body: object = {}, bearer = orchestrator) =>
  broker.post(`/tasks/${task.id}/${name}`, body, bearer);

describe('POST /tasks', () => {
  it('is for no person, whether they name themselves or nobody', async () => {
    const ada = await broker.person('ada', { groups: ['operators'] });
    const purpose = 'summarise incident 4711';
    expectProblem(await broker.post('/tasks', { purpose }, ada), 400, 'invalid_request', /Name the workload/);
    const herself = { purpose, workload: 'staff:ada' };
    expectProblem(await broker.post('/tasks', herself, ada), 400, 'invalid_request', /No configured issuer/);
  });

  it('is for the caller itself where no workload is named', async () => {
    const { body } = await broker.post('/tasks', { purpose: 'summarise' }, agent);
    expect(body).toMatchObject({ workload: 'lab:agent-7', state: 'open' });
    expect(body).not.toHaveProperty('openedBy');
  });

  it('answers 201 with the task and where it is', async () => {
    const reply = await broker.post(
      '/tasks',
      { ...wish, access: [read], deadlineSeconds: 600, heartbeat: { intervalSeconds: 30, missesAllowed: 2 } },
      orchestrator,
    );
    expect(reply.status).toBe(201);
    const task = reply.body as TaskBody;
    expect(reply.headers.get('location')).toBe(`${broker.url}/tasks/${task.id}`);
    expect(task).toEqual({
      ...wish,
      id: expect.stringMatching(/^tsk_[a-z2-7]{16}$/),
      state: 'open',
      openedBy: 'lab:orchestrator',
      access: [read],
      openedAt: new Date(broker.clock.now()).toISOString(),
      deadline: new Date(broker.clock.now() + 600_000).toISOString(),
      lineage: [],
      heartbeat: { intervalSeconds: 30, missesAllowed: 2, lastAt: new Date(broker.clock.now()).toISOString() },
    });
  });

  it('bounds what can be granted under it', async () => {
    const task = await open({ access: [{ ...read, identifier: 'incident/4711' }] });
    const outside = { purpose: undefined, task_id: task.id, scope: 'incident/4712:read' };
    expect((await broker.exchange(agent, outside)).body).toMatchObject({ error: 'invalid_scope', retry: 'with-less' });
    expect(await isActive(await credentialUnder(task))).toBe(true);
  });

  it('shortens a deadline beyond its parent, and ends a child with its parent', async () => {
    const parent = await open({ deadlineSeconds: 300 });
    const child = await open({ parent: parent.id, deadlineSeconds: 3_600 });
    expect(child).toMatchObject({ lineage: [parent.id], deadline: parent.deadline });
    const token = await credentialUnder(child);
    await verb(parent, 'complete', { outcome: 'completed' });
    expect(await isActive(token)).toBe(false);
    expect((await broker.get(`/tasks/${child.id}`, orchestrator)).body).toMatchObject({ state: 'cancelled' });
    const orphan = await broker.post('/tasks', { ...wish, parent: parent.id }, orchestrator);
    expectProblem(orphan, 409, 'conflict');
  });

  it('opens one task for one Idempotency-Key, and refuses the key for another request', async () => {
    const key = { 'idempotency-key': 'open-1' };
    const first = await broker.post('/tasks', wish, orchestrator, key);
    const reordered = { purpose: wish.purpose, workload: wish.workload };
    const again = await broker.post('/tasks', reordered, orchestrator, key);
    expect([again.status, (again.body as TaskBody).id]).toEqual([201, (first.body as TaskBody).id]);
    const other = await broker.post('/tasks', { ...wish, purpose: 'another' }, orchestrator, key);
    expectProblem(other, 409, 'conflict');
  });

  it.each([
    ['no purpose', { purpose: undefined }, /purpose/],
    ['an unknown field', { deadline: 300 }, /no field of the name deadline; there is deadlineSeconds\.$/],
    ['a misspelt field within a field', { heartbeat: { interval: 1, missesAllowed: 1 } }, /heartbeat/],
    ['a deadline of 0', { deadlineSeconds: 0 }, /deadlineSeconds/],
    ['a deadline that is text', { deadlineSeconds: '300' }, /deadlineSeconds/],
    ['a workload nobody could prove', { workload: 'nobody:x' }, /No configured issuer/],
    ['a person as workload', { workload: 'staff:ada' }, /No configured issuer/],
    ['a workload as principal', { principal: 'lab:agent-8' }, /No configured issuer/],
    ['a purpose with a line break', { purpose: 'a\u2028b' }, /purpose/],
  ])('with %s is 400', async (_, more, detail) => {
    expectProblem(await broker.post('/tasks', { ...wish, ...more }, orchestrator), 400, 'invalid_request', detail);
  });

  it.each([
    ['a field that is written twice', '{"workload":"lab:agent-7","workload":"lab:agent-8","purpose":"x"}', /twice/],
    ['a prototype', '{"__proto__":{"x":1},"workload":"lab:agent-7","purpose":"x"}', /no field of the name __proto__/],
    ['no JSON', '{"workload":', /not JSON/],
    ['a list', '[]', /expected object/],
    ['null', 'null', /expected object/],
    ['10,000 brackets', '['.repeat(10_000) + ']'.repeat(10_000), /deep/],
  ])('with %s is 400', async (_, text, detail) => {
    expectProblem(await broker.post('/tasks', text, orchestrator), 400, 'invalid_request', detail);
  });

  it('with access that cannot be is 400 invalid_authorization_details', async () => {
    for (const access of [[], [{ ...read, extra: 1 }], [{ ...read, identifier: '../x' }], [{ ...read, type: 'x' }]]) {
      const reply = await broker.post('/tasks', { ...wish, access }, orchestrator);
      expectProblem(reply, 400, 'invalid_authorization_details');
    }
  });

  it('is refused by policy for whom it does not name, and unknown parents do not exist', async () => {
    const denied = await broker.post('/tasks', { ...wish, workload: 'lab:agent-9' }, await broker.identity('agent-8'));
    expectProblem(denied, 403, 'access_denied', /No policy permits opening this task/);
    const lost = await broker.post('/tasks', { ...wish, parent: 'tsk_aabbbbbbbbbbbbbb' }, orchestrator);
    expectProblem(lost, 404, 'not_found');
  });

  it('a mistake of a proven caller is in the audit log', async () => {
    // Earlier tests of this file were refused as often as a minute enters whole.
    await broker.work('refusals');
    await broker.work('refusals');
    await broker.post('/tasks', { ...wish, oops: 1 }, orchestrator, { 'x-request-id': 'mistake-1' });
    const soc = await broker.identity('soc');
    const { lines } = (await broker.get('/audit?type=operation.refused&limit=1000', soc)).body as { lines: string[] };
    const entry = lines
      .map((line) => JSON.parse(line) as object)
      .find((one) => 'requestId' in one && one.requestId === 'mistake-1');
    expect(entry).toMatchObject({ actor: { id: 'lab:orchestrator' }, error: 'invalid_request', verb: 'openTask' });
  });
});

describe('GET /tasks/{id}', () => {
  it('answers the effective state: a deadline that has passed has ended it, whatever the record says', async () => {
    const task = await open({ deadlineSeconds: 60 });
    expect((await broker.get(`/tasks/${task.id}`, agent)).body).toMatchObject({ id: task.id, state: 'open' });
    await broker.advance(60_000);
    expect((await broker.get(`/tasks/${task.id}`, agent)).body).toMatchObject({ state: 'expired' });
    await broker.work('sweep');
    const swept = (await broker.get(`/tasks/${task.id}`, agent)).body as object;
    expect(swept).toMatchObject({ state: 'expired', endedAt: expect.any(String), reason: 'its deadline passed' });
  });

  it('is 404 for a foreign task, with the text for one that does not exist', async () => {
    const task = await open();
    const foreign = await broker.get(`/tasks/${task.id}`, await broker.identity('agent-8'));
    const unknown = await broker.get('/tasks/tsk_aabbbbbbbbbbbbbb', agent);
    expectProblem(foreign, 404, 'not_found');
    expect((foreign.body as { detail: string }).detail).toBe((unknown.body as { detail: string }).detail);
    expectProblem(await broker.get('/tasks/x', agent), 404, 'not_found');
  });

  it('is 403 for its own workload and for its opener where policy does not permit it, and 404 for every other', async () => {
    const own = 'principal == Workload::"lab:agent-7" || principal == Workload::"lab:opener"';
    const strict = await startBroker({
      policies: `@id("opener") permit (principal == Workload::"lab:opener", action == Action::"openTask", resource);
        @id("nothing-on-tasks") forbid (principal, action in [Action::"readTask", Action::"completeTask"], resource) when { ${own} };`,
    });
    const reply = await strict.post('/tasks', wish, await strict.identity('opener'));
    const { id } = reply.body as TaskBody;
    for (const sub of ['agent-7', 'opener', 'agent-8']) {
      const bearer = await strict.identity(sub);
      const answers = [
        await strict.get(`/tasks/${id}`, bearer),
        await strict.post(`/tasks/${id}/complete`, { outcome: 'completed' }, bearer),
        await strict.post('/tasks', { ...wish, parent: id }, bearer),
      ];
      for (const [index, answer] of answers.entries()) {
        const name = index === 1 ? 'completeTask' : 'readTask';
        if (sub === 'agent-8') expectProblem(answer, 404, 'not_found');
        else
          expectProblem(answer, 403, 'access_denied', `Policy forbids "${name}" on this task, by "nothing-on-tasks".`);
      }
    }
  });

  it('is 401 without proof, and 400 with a parameter', async () => {
    const task = await open();
    expectProblem(await broker.get(`/tasks/${task.id}`), 401, 'invalid_token');
    expectProblem(await broker.get(`/tasks/${task.id}?verbose=1`, agent), 400, 'invalid_request', /verbose/);
  });
});

describe('GET /tasks', () => {
  interface List {
    tasks: TaskBody[];
    next?: string;
  }
  const listed = async (query: string, bearer = orchestrator) =>
    (await broker.get(`/tasks${query}`, bearer)).body as List;
  const idsOf = ({ tasks }: List) => tasks.map(({ id }) => id).toSorted();
  /** Follows `next` to the last page. */
  async function all(query: string, bearer = orchestrator): Promise<TaskBody[]> {
    const found: TaskBody[] = [];
    let after = '';
    do {
      const { tasks, next = '' } = await listed(`?${query}${after}`, bearer);
      found.push(...tasks);
      after = next && `&after=${next}`;
    } while (after !== '');
    return found;
  }

  it('lists what is open or suspended, each task as it is read alone, and nothing that is over', async () => {
    const workload = 'lab:lister';
    const [open1, open2, held, done] = [
      await open({ workload }),
      await open({ workload }),
      await open({ workload }),
      await open({ workload }),
    ];
    await verb(held, 'suspend');
    await verb(done, 'complete', { outcome: 'completed' });
    const own = `?workload=${workload}`;
    expect(await listed(own)).toEqual({
      tasks: expect.arrayContaining([(await broker.get(`/tasks/${held.id}`, orchestrator)).body]),
    });
    expect(idsOf(await listed(own))).toEqual([open1.id, open2.id, held.id].toSorted());
    expect(idsOf(await listed(`${own}&state=suspended`))).toEqual([held.id]);
    expect(idsOf(await listed(`${own}&state=open`))).toEqual([open1.id, open2.id].toSorted());
  });

  it('leaves out at once what a revocation has ended, though no record says so yet', async () => {
    const workload = 'lab:lister-revoked';
    await open({ workload });
    const selector = { kind: 'workload', value: workload };
    const soc = await broker.identity('soc');
    await broker.post('/revocations', { selector, effect: 'cutoff', reason: 'test', unseen: true }, soc);
    expect(await listed(`?workload=${workload}`)).toEqual({ tasks: [] });
  });

  it('pages through all of them, whatever the size of a page, and no page is longer', async () => {
    const purpose = 'paged';
    const opened = await Promise.all(
      Array.from({ length: 70 }, (_, index) => open({ purpose, deadlineSeconds: 3_600 - index * 7 })),
    );
    const ids = opened.map(({ id }) => id).toSorted();
    for (const limit of [3, 64, 70, 500]) {
      const found = await all(`purpose=${purpose}&limit=${limit}`, await broker.identity('orchestrator'));
      expect(found.map(({ id }) => id).toSorted()).toEqual(ids);
      await broker.advance(60_000);
    }
    expect((await listed(`?purpose=${purpose}&limit=7`)).tasks).toHaveLength(7);
  });

  it('pages through what a workload has opened itself and what others have opened for it, in one order', async () => {
    const workload = 'lab:agent-8';
    const own = await broker.identity('agent-8', { expiresInSeconds: 86_400 });
    const opened = await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        open({ workload, deadlineSeconds: 3_600 - index * 7 }, index % 2 === 0 ? own : orchestrator),
      ),
    );
    for (const limit of [1, 5, 24]) {
      const found = await all(`workload=${workload}&limit=${limit}`);
      expect(found.map(({ id }) => id).toSorted()).toEqual(opened.map(({ id }) => id).toSorted());
      await broker.advance(60_000);
    }
  });

  it('shows nobody what they may not read, and is no refusal where that is everything', async () => {
    const mine = await open({ purpose: 'mine' });
    await open({ purpose: 'mine', workload: 'lab:agent-9' });
    expect(idsOf(await listed('?purpose=mine', agent))).toEqual([mine.id]);
    expect(await listed('?purpose=mine', api)).toEqual({ tasks: [] });
    expect(await listed('?workload=lab:agent-9', agent)).toEqual({ tasks: [] });
  });

  it('finds the tasks that serve a person, and does not take an opener for the workload', async () => {
    const served = await open({ principal: 'staff:ada' });
    expect(idsOf(await listed('?principal=staff:ada'))).toEqual([served.id]);
    expect(await listed('?workload=lab:orchestrator')).toEqual({ tasks: [] });
  });

  it.each([
    ['an unknown filter', '?owner=sre', /owner/],
    ['the state of what is over', '?state=completed', /state/],
    ['a cursor of something else', '?after=1.sig_aaaaaaaaaaaaaaaa', /next/],
    ['a cursor without an id', '?after=1.', /next/],
    ['no tasks at all', '?limit=0', /limit/],
  ])('with %s is 400', async (_, query, detail) => {
    expectProblem(await broker.get(`/tasks${query}`, orchestrator), 400, 'invalid_request', detail);
  });

  it('counts the pages that it looks at as requests: a filter that fits nothing is not free', async () => {
    const small = await startBroker({ config: { limits: { perWorkloadPerMinute: 40 } } });
    const opener = await small.identity('orchestrator');
    for (let opened = 0; opened < 33; opened += 1) await small.post('/tasks', { ...wish, purpose: 'some' }, opener);
    const looker = await small.identity('looker');
    // 33 questions to policy cost three requests, and none costs one.
    for (let asked = 0; asked < 13; asked += 1)
      expect((await small.get('/tasks?purpose=some', looker)).status).toBe(200);
    expect((await small.get('/tasks?purpose=none', looker)).status).toBe(200);
    expectProblem(await small.get('/tasks?purpose=none', looker), 429, 'slow_down');
  });
});

describe('GET /tasks/{id}/tree', () => {
  const treeOf = async ({ id }: TaskBody, bearer = orchestrator, query = '') =>
    (await broker.get(`/tasks/${id}/tree${query}`, bearer)).body as { tasks: TaskBody[]; next?: string };

  it('shows every task of the tree as it is read alone, the root first, whichever of them is asked for', async () => {
    const root = await open();
    await broker.advance(1);
    const child = await open({ parent: root.id });
    await broker.advance(1);
    const grandchild = await open({ parent: child.id, workload: 'lab:agent-9' });
    await verb(child, 'complete', { outcome: 'failed', reason: 'it was odd' });
    const alone = await Promise.all(
      [root, child, grandchild].map(async ({ id }) => (await broker.get(`/tasks/${id}`, orchestrator)).body),
    );
    expect(alone).toMatchObject([{ state: 'open' }, { state: 'failed' }, { state: 'cancelled' }]);
    for (const task of [root, child, grandchild]) expect(await treeOf(task)).toEqual({ tasks: alone });
  });

  it('is paged', async () => {
    const root = await open();
    for (let more = 0; more < 4; more += 1) await open({ parent: root.id });
    const first = await treeOf(root, orchestrator, '?limit=3');
    expect(first.tasks).toHaveLength(3);
    const rest = await treeOf(root, orchestrator, `?limit=3&after=${first.next}`);
    expect(rest).not.toHaveProperty('next');
    expect(new Set([...first.tasks, ...rest.tasks].map(({ id }) => id)).size).toBe(5);
  });

  it('leaves out what the caller may not read, and is 404 for a task of somebody else or of nobody', async () => {
    const root = await open({ workload: 'lab:agent-9' });
    const child = await open({ parent: root.id });
    await open({ parent: root.id, workload: 'lab:agent-9' });
    expect((await treeOf(child, agent)).tasks.map(({ id }) => id)).toEqual([child.id]);
    const foreign = await broker.get(`/tasks/${root.id}/tree`, agent);
    expectProblem(foreign, 404, 'not_found', /There is no task with that id/);
    expectProblem(await broker.get('/tasks/tsk_aaaaaaaaaaaaaaaa/tree', agent), 404, 'not_found');
    expectProblem(await broker.get('/tasks/nothing/tree', agent), 404, 'not_found');
  });
});

describe('POST /tasks/{id}/complete', () => {
  it('ends the task and kills its credentials; the first outcome stands', async () => {
    const task = await open();
    const token = await credentialUnder(task);
    const done = await verb(task, 'complete', { outcome: 'failed', reason: 'no such incident' });
    expect(done.status).toBe(200);
    expect(done.body).toMatchObject({
      task: { id: task.id, state: 'failed', reason: 'no such incident' },
      revocation: { seq: expect.any(Number), selector: { kind: 'task', value: task.id }, effect: 'end' },
    });
    expect(await isActive(token)).toBe(false);
    const again = await verb(task, 'complete', { outcome: 'completed' });
    expect(again.body).toMatchObject({ task: { state: 'failed' }, revocation: null });
    const renewed = await broker.exchange(agent, { purpose: undefined, task_id: task.id });
    expect(renewed.body).toMatchObject({ error: 'invalid_grant', error_description: 'The task has ended: failed.' });
  });

  it('wants one of the outcomes that can be declared', async () => {
    const task = await open();
    for (const body of [{}, { outcome: 'revoked' }, { outcome: 'expired' }, { outcome: 1 }]) {
      expectProblem(await verb(task, 'complete', body), 400, 'invalid_request', /outcome/);
    }
  });
});

describe('suspend and resume', () => {
  it('kills what was minted for good, lets nothing be born, and resuming allows new ones', async () => {
    const task = await open();
    const before = await credentialUnder(task);
    const suspended = await verb(task, 'suspend', { reason: 'looks odd' });
    expect(suspended.body).toMatchObject({
      task: { state: 'suspended' },
      revocation: { effect: 'hold', reason: 'looks odd' },
    });
    const refused = await broker.exchange(agent, { purpose: undefined, task_id: task.id });
    expect([refused.status, refused.body]).toMatchObject([400, { error: 'access_denied', retry: 'after-lift' }]);

    const resumed = await verb(task, 'resume');
    expect(resumed.body).toMatchObject({ task: { state: 'open' }, revocation: { effect: 'lift' } });
    expect(await isActive(before)).toBe(false);
    expect(await isActive(await credentialUnder(task))).toBe(true);
    expect((await verb(task, 'resume')).body).toMatchObject({ task: { state: 'open' }, revocation: null });
  });

  it('an ended task is neither suspended nor resumed', async () => {
    const task = await open();
    await verb(task, 'complete', { outcome: 'completed' });
    expectProblem(await verb(task, 'suspend'), 409, 'conflict', /has ended: completed/);
    expectProblem(await verb(task, 'resume'), 409, 'conflict', /has ended: completed/);
  });

  it('is not for the agent: it may read its task, so it gets the reason', async () => {
    const task = await open();
    expectProblem(await verb(task, 'suspend', {}, agent), 403, 'access_denied', /No policy permits "suspend/);
  });
});

describe('POST /tasks/{id}/heartbeat', () => {
  it('answers whether to go on, and keeps the task alive; missing heartbeats ends it', async () => {
    const task = await open({ heartbeat: { intervalSeconds: 10, missesAllowed: 2 } });
    for (let beats = 0; beats < 3; beats += 1) {
      await broker.advance(15_000);
      await broker.work('sweep');
      const beat = await verb(task, 'heartbeat', {}, agent);
      expect(beat.body).toEqual({ state: 'open', deadline: task.deadline });
    }
    await broker.advance(20_000);
    await broker.work('sweep');
    expect((await verb(task, 'heartbeat', {}, agent)).body).toMatchObject({ state: 'expired' });
  });

  it('is a conflict for a task without one', async () => {
    expectProblem(await verb(await open(), 'heartbeat', {}, agent), 409, 'conflict', /without a heartbeat/);
  });

  it('takes no body, or an empty object', async () => {
    const task = await open({ heartbeat: { intervalSeconds: 10, missesAllowed: 2 } });
    const init = { method: 'POST', headers: { authorization: `Bearer ${agent}` } };
    expect((await broker.send(`/tasks/${task.id}/heartbeat`, init)).status).toBe(200);
    expectProblem(await verb(task, 'heartbeat', { state: 'open' }, agent), 400, 'invalid_request', /state/);
  });
});
