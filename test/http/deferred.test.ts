/** The Deferred Token Response: an agent that can wait gets a code, and by it once what people have agreed to. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { answerAt } from '../support/approvals/written-answer.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import type { Reply } from '../support/calls.js';
import { expectOAuthRefusal, expectProblem } from '../support/expect-refusal.js';

const DEFERRED = 'urn:ietf:params:oauth:grant-type:deferred';
const CODE_TYPE = 'urn:ietf:params:oauth:token-type:deferral-code';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

interface Waiting {
  deferral_code: string;
  approval_id: string;
  task_id: string;
}
interface Granted {
  access_token: string;
  scope: string;
  task_id: string;
  expires_in: number;
}

/** One yes is enough for a task. */
const STANDING = `
@id("standing")
permit (principal, action == Action::"write", resource in Resource::"https://tickets.example#standing");
@id("standing-asks") @approval("sre-oncall") @reuse("task")
forbid (principal, action == Action::"write", resource in Resource::"https://tickets.example#standing")
unless { context.approvals.contains("sre-oncall") };`;

let broker: TestBroker;
let agent: string;
let paths = 0;

beforeAll(async () => {
  const config = { approvals: { waitSeconds: 600, pendingPerWorkload: 64 } };
  broker = await startBroker({ config, policies: STANDING });
  agent = await broker.identity('agent', { exp: 4_000_000_000 });
});

/** Asks for what the shipped policies let the on-call group agree to: each time for another incident. */
const asks = (wish: Record<string, string | undefined> = {}): Promise<Reply> =>
  broker.exchange(agent, { scope: `incident/${(paths += 1)}:export`, completion_mode: 'deferred', ...wish });

async function waits(wish?: Record<string, string | undefined>): Promise<Waiting> {
  const { status, text, body } = await asks(wish);
  if (status !== 400) throw new Error(text);
  return body as Waiting;
}

const poll = (
  code: string | undefined,
  { by = agent, ...wish }: Record<string, string | undefined> & { by?: string } = {},
) =>
  broker.form('/token', {
    grant_type: DEFERRED,
    deferral_code: code,
    client_assertion: by,
    client_assertion_type: ASSERTION,
    ...wish,
  });

/** Returns how often the audit log says that somebody has looked at it by its code. */
async function looks(id: string): Promise<number> {
  const soc = await broker.identity('soc');
  const { lines } = (await broker.get('/audit?type=revocation.previewed&limit=1000', soc)).body as { lines: string[] };
  return lines.filter((line) => line.includes(id)).length;
}

const AGREE = { by: { kind: 'person', id: 'staff:bo', issuer: 'staff' } } as const;

describe('a request that can wait', () => {
  it('is answered with a code, and how to use it', async () => {
    const reply = await asks();
    expectOAuthRefusal(reply, 400, 'authorization_pending', /^People must agree to this first, and they are asked\.$/);
    expect(reply.body).toMatchObject({
      deferral_code: expect.stringMatching(/^mdc_[a-z2-7]{16}_[\w-]{43}$/),
      expires_in: 600,
      interval: 5,
      retry: 'after-approval',
      approval_id: expect.stringMatching(/^apr_/),
      task_id: expect.stringMatching(/^tsk_/),
      decision_id: expect.stringMatching(/^dec_/),
    });
  });

  it('gets no code unless it says so', async () => {
    for (const completion_mode of [undefined, 'immediate']) {
      const reply = await asks({ completion_mode });
      expectOAuthRefusal(reply, 400, 'access_denied', /^People must agree to this first/);
      expect(reply.body).not.toHaveProperty('deferral_code');
    }
  });

  it('is refused at once where nobody could agree to it', async () => {
    const reply = await asks({ scope: 'people/1:write' });
    expectOAuthRefusal(reply, 400, 'access_denied', /^No policy permits/);
    expect(reply.body).not.toHaveProperty('deferral_code');
  });
});

describe('the code', () => {
  it('says that nobody has answered, and then gets what was asked for, once', async () => {
    const { deferral_code: code, approval_id: id, task_id: task } = await waits({ lifetime: '60' });
    const pending = await poll(code);
    expectOAuthRefusal(pending, 400, 'authorization_pending', /^People have not answered yet\.$/);
    expect(pending.body).not.toHaveProperty('deferral_code');
    await answerAt(broker, id, AGREE);
    await broker.advance(5_000);
    const { status, body } = await poll(code);
    expect([status, body]).toMatchObject([
      200,
      { task_id: task, scope: `incident/${paths}:export`, token_type: 'Bearer', expires_in: 60 },
    ]);
    const api = await broker.identity('gateway');
    expect((await broker.introspect((body as Granted).access_token, api)).status).toBe(200);
    await broker.advance(5_000);
    expectOAuthRefusal(await poll(code), 400, 'invalid_grant', /^No deferral code of this workload waits/);
  });

  it('gets it for one of several who show it at once', async () => {
    const { deferral_code: code, approval_id: id } = await waits();
    await answerAt(broker, id, AGREE);
    const replies = await Promise.all([poll(code), poll(code), poll(code)]);
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('is not to be shown too often: each time the wait grows by five seconds', async () => {
    const { deferral_code: code } = await waits();
    await poll(code);
    const early = await poll(code);
    expectOAuthRefusal(early, 429, 'slow_down', /wait 10 seconds between two requests\.$/);
    expect(early.headers.get('retry-after')).toBe('10');
    await broker.advance(6_000);
    expectOAuthRefusal(await poll(code), 429, 'slow_down', /wait 15 seconds/);
    await broker.advance(15_000);
    expectOAuthRefusal(await poll(code), 400, 'authorization_pending');
  });

  it.each<[string, (code: string) => Promise<Reply>]>([
    ['guessed', (code) => poll(`${code.slice(0, -43)}${'A'.repeat(43)}`)],
    ['of an approval that there is not', (code) => poll(`mdc_aa${'b'.repeat(14)}${code.slice(20)}`)],
    ['no code at all', () => poll('x')],
    ['of another workload', async (code) => poll(code, { by: await broker.identity('other') })],
  ])('that is %s is like one that there is not', async (_, show) => {
    const { deferral_code: code, approval_id: id } = await waits();
    await answerAt(broker, id, AGREE);
    const sentence = /^No deferral code of this workload waits to be used: it is unknown, or was used\.$/;
    expectOAuthRefusal(await show(code), 400, 'invalid_grant', sentence);
    expect((await poll(code)).status).toBe(200);
  });

  it.each(['resource', 'scope', 'subject_token', 'task_id', 'purpose', 'completion_mode', 'lifetime'])(
    'is shown without %s, which stands in the request already',
    async (name) => {
      const { deferral_code: code } = await waits();
      expectOAuthRefusal(
        await poll(code, { [name]: 'x' }),
        400,
        'invalid_request',
        new RegExp(`${name} is not sent again`),
      );
    },
  );

  it('is shown by a client that authenticates itself, and is not left out', async () => {
    const { deferral_code: code } = await waits();
    const bare = await broker.form('/token', { grant_type: DEFERRED, deferral_code: code });
    expectOAuthRefusal(bare, 401, 'invalid_client');
    // A person is another party than the agent that got the code.
    expectOAuthRefusal(await poll(code, { by: await broker.person('ada') }), 400, 'invalid_grant');
    expectOAuthRefusal(await poll(undefined), 400, 'invalid_request', /deferral_code is missing/);
  });

  it.each<[string, string, RegExp, (waiting: Waiting) => Promise<unknown>]>([
    ['nobody has answered in time', 'expired_token', /^Nobody answered in time/, () => broker.advance(600_000)],
    [
      'the answer is no',
      'access_denied',
      /^People were asked about this, and the answer was no\.$/,
      ({ approval_id: id }) => answerAt(broker, id, { ...AGREE, says: 'deny' }),
    ],
    [
      'what was agreed to was not fetched',
      'expired_token',
      /^Nobody answered in time/,
      async ({ approval_id: id }) => {
        await answerAt(broker, id, AGREE);
        await broker.advance(300_000);
      },
    ],
    [
      'the task is over',
      'access_denied',
      /^The question was taken back, or its task is over\.$/,
      ({ task_id: task }) => broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent),
    ],
    [
      'whoever asked takes it back',
      'access_denied',
      /^The question was taken back, or its task is over\.$/,
      ({ deferral_code: token }) => broker.form('/revoke', { token, token_type_hint: CODE_TYPE }, bearer(agent)),
    ],
    [
      'whoever asked takes it back after the yes',
      'access_denied',
      /^The question was taken back, or its task is over\.$/,
      async ({ deferral_code: token, approval_id: id }) => {
        await answerAt(broker, id, AGREE);
        await broker.form('/revoke', { token }, bearer(agent));
      },
    ],
  ])('gets nothing once %s', async (_, error, sentence, happens) => {
    const waiting = await waits();
    await happens(waiting);
    expectOAuthRefusal(await poll(waiting.deferral_code), 400, error, sentence);
  });

  it('is taken back by its own workload alone, and whoever tries is told nothing', async () => {
    const { deferral_code: token, approval_id: id } = await waits();
    const reply = await broker.form('/revoke', { token }, bearer(await broker.identity('other')));
    expect([reply.status, reply.text]).toEqual([200, '']);
    await answerAt(broker, id, AGREE);
    expect((await poll(token)).status).toBe(200);
  });

  it('gets nothing for a workload that is held', async () => {
    const soc = await broker.identity('soc', { team: 'security' });
    const held = await broker.identity('held', { exp: 4_000_000_000 });
    const { body } = await broker.exchange(held, { scope: 'incident/1:export', completion_mode: 'deferred' });
    const { deferral_code: code, approval_id: id } = body as Waiting;
    await answerAt(broker, id, AGREE);
    await broker.post('/revocations', { selector: { kind: 'workload', value: 'lab:held' }, reason: 'x' }, soc);
    expectOAuthRefusal(await poll(code, { by: held }), 400, 'access_denied');
  });

  it('gives nothing more once somebody has reported that it leaked, and the audit log says who did', async () => {
    const { deferral_code: code, approval_id: id, task_id: task } = await waits();
    const soc = await broker.identity('soc');
    const report = (by: string, wish = {}) =>
      broker.post(
        '/revocations',
        { leaked: `found ${code} in a log`, reason: 'in a ticket', ticket: 'T7', ...wish },
        by,
      );
    expectProblem(await report(agent), 403, 'access_denied', /"revoke"/);
    const approval = { id, task, workload: 'lab:agent' };
    expect((await report(soc, { dryRun: true })).body).toEqual({
      dryRun: true,
      approval: { ...approval, state: 'pending' },
    });
    expect(await looks(id)).toBe(1);
    await answerAt(broker, id, AGREE);
    for (let time = 0; time < 2; time += 1)
      expect((await report(soc)).body).toEqual({ approval: { ...approval, state: 'cancelled' } });
    expectOAuthRefusal(await poll(code), 400, 'access_denied', /^The question was taken back/);
    const { lines } = (await broker.get(`/audit?type=approval.cancelled&task=${task}`, soc)).body as {
      lines: string[];
    };
    expect(lines).toHaveLength(1);
    const said = {
      actor: { id: 'lab:soc' },
      workload: 'lab:agent',
      approval: { id },
      reason: 'in a ticket',
      ticket: 'T7',
    };
    expect(JSON.parse(lines[0] ?? '')).toMatchObject(said);
  });

  it('that has leaked beside something else is left alone, and both are named', async () => {
    const [one, other] = [await waits(), await waits()];
    const body = { leaked: `${one.deferral_code} ${other.deferral_code}`, reason: 'x' };
    const named = new RegExp(`${one.approval_id}, ${other.approval_id}\\. Nothing was revoked`);
    expectProblem(await broker.post('/revocations', body, await broker.identity('soc')), 400, 'invalid_request', named);
    for (const { approval_id: id } of [one, other])
      expect((await broker.get(`/approvals/${id}`, agent)).body).toMatchObject({ state: 'pending' });
  });

  it('that leaked once it was used ends nothing', async () => {
    const { deferral_code: code, approval_id: id } = await waits();
    await answerAt(broker, id, AGREE);
    await poll(code);
    const reply = await broker.post('/revocations', { leaked: code, reason: 'x' }, await broker.identity('soc'));
    expect(reply.body).toMatchObject({ approval: { id, state: 'used' } });
    expect(await looks(id)).toBe(1);
  });

  it('that leaked once it was used ends a yes that stands for the rest of its task', async () => {
    const { deferral_code: code, approval_id: id, task_id: task } = await waits({ scope: 'standing/1:write' });
    await answerAt(broker, id, AGREE);
    expect((await poll(code)).status).toBe(200);
    const again = () => broker.exchange(agent, { scope: 'standing/1:write', purpose: undefined, task_id: task });
    expect((await again()).status).toBe(200);
    const soc = await broker.identity('soc');
    const report = (wish = {}) => broker.post('/revocations', { leaked: code, reason: 'x', ...wish }, soc);
    expect((await report({ dryRun: true })).body).toMatchObject({ approval: { id, state: 'approved' } });
    expect((await report()).body).toMatchObject({ approval: { id, state: 'cancelled' } });
    const anew = await again();
    expectOAuthRefusal(anew, 400, 'access_denied', /^People must agree to this first/);
    expect((anew.body as Waiting).approval_id).not.toBe(id);
  });

  it.each(['reason', 'name', 'path'])('is not kept, and is no %s', async (where) => {
    const { deferral_code: code } = await waits();
    const soc = await broker.identity('soc');
    if (where === 'reason') {
      const order = { selector: { kind: 'task', value: 'tsk_aaaaaaaaaaaaaaaa' }, reason: `see ${code}`, unseen: true };
      expect((await broker.post('/revocations', order, soc)).body).toMatchObject({ reason: 'see [token removed]' });
    } else if (where === 'name') {
      const order = { selector: { kind: 'workload', value: `lab:${code}` }, reason: 'x' };
      expectProblem(await broker.post('/revocations', order, soc), 400, 'invalid_request', /has a token in it/);
    } else {
      expectOAuthRefusal(await asks({ scope: `incident/${code}:export` }), 400, 'invalid_scope', /has a token in it/);
    }
    expect((await broker.get('/audit?limit=1000', soc)).text).not.toContain(code);
  });

  it('stands in no log', () => {
    expect(broker.logged()).toMatch(/authorization_pending/);
    expect(broker.logged()).not.toMatch(/mdc_[a-z2-7]{16}_[\w-]{43}/);
  });
});

describe('GET /approvals/{id} with a wait', () => {
  const wait = (id: string, seconds: string, by = agent) => broker.get(`/approvals/${id}?wait=${seconds}`, by);

  it('answers once people have, and the same can be asked for then', async () => {
    const { approval_id: id, task_id: task } = await waits();
    const answers = wait(id, '55');
    await answerAt(broker, id, AGREE);
    expect((await answers).body).toMatchObject({ id, state: 'approved', task });
    const again = await broker.exchange(agent, {
      scope: `incident/${paths}:export`,
      purpose: undefined,
      task_id: task,
    });
    expect([again.status, again.body]).toMatchObject([200, { task_id: task }]);
  });

  it('answers after so many seconds, at once where nothing is open, and when the task is over', async () => {
    const { approval_id: id, task_id: task } = await waits();
    expect((await wait(id, '1')).body).toMatchObject({ state: 'pending' });
    const answers = wait(id, '55');
    await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent);
    expect((await answers).body).toMatchObject({ state: 'cancelled' });
    expect((await wait(id, '55')).body).toMatchObject({ state: 'cancelled' });
  });

  it.each(['0', '56', 'x', '1.5'])('takes no wait of %s', async (seconds) => {
    const { approval_id: id } = await waits();
    expectProblem(await wait(id, seconds), 400, 'invalid_request');
  });

  it('hides the question from whoever has nothing to do with it', async () => {
    const { approval_id: id } = await waits();
    expectProblem(await wait(id, '55', await broker.identity('other', { team: 'x' })), 404, 'not_found');
  });
});

describe('a request that was changed after the yes', () => {
  it.each<[string, (incident: string) => Record<string, string>]>([
    ['another path', (incident) => ({ scope: `${incident}0:export` })],
    ['a path below', (incident) => ({ scope: `${incident}/attachment:export` })],
    ['a pattern', (incident) => ({ scope: `${incident}/**:export` })],
    ['a further path', (incident) => ({ scope: `${incident}:export ${incident}0:export` })],
    ['a further action', (incident) => ({ scope: `${incident}:export ${incident}:read` })],
    ['another lifetime', () => ({ lifetime: '299' })],
    ['another purpose', () => ({ purpose: 'something else' })],
  ])('by %s is another question, and the yes is still there for the first', async (_, changed) => {
    const incident = `incident/9${(paths += 1)}`;
    const asked = { scope: `${incident}:export`, completion_mode: undefined, lifetime: '300' };
    const first = (await asks(asked)).body as Waiting;
    await answerAt(broker, first.approval_id, AGREE);
    const other = await asks({ ...asked, ...changed(incident) });
    const sentence = /^People must agree to this first, and they are asked\. Ask the same again once they have\.$/;
    expectOAuthRefusal(other, 400, 'access_denied', sentence);
    expect(other.body).toMatchObject({ retry: 'after-approval', approval_id: expect.stringMatching(/^apr_/) });
    expect((other.body as Waiting).approval_id).not.toBe(first.approval_id);
    const { status, body } = await asks(asked);
    expect([status, body]).toEqual([200, expect.objectContaining({ scope: `${incident}:export` })]);
  });
});

it('servers say that they can do this', async () => {
  const { body } = await broker.get('/.well-known/oauth-authorization-server');
  expect(body).toMatchObject({
    deferred_token_response_supported: true,
    grant_types_supported: expect.arrayContaining([DEFERRED]),
    revocation_endpoint_token_type_values_supported: expect.arrayContaining([CODE_TYPE]),
  });
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
