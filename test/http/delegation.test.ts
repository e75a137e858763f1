/** Handing on: a workload gives what it has to another, which gets no more of it, for no longer, and loses it with the first. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import type { Reply } from '../support/calls.js';
import { expectOAuthRefusal, expectProblem } from '../support/expect-refusal.js';
import { HANDED_ON, handingOn, JWT } from '../support/handing-on.js';

const POLICIES = `
@id("lab-reads") permit (principal in Issuer::"lab", action in [Action::"read", Action::"write"], resource in Target::"${TICKETS}");
@id("wiki") permit (principal in Issuer::"lab", action == Action::"read", resource in Target::"${WIKI}");
@id("contractors-get-nothing-directly") forbid (principal in Owner::"contractor", action in Action::"access", resource)
  unless { context has delegatedBy && context.delegatedBy in Owner::"sre" };
@id("nothing-by-way-of-strangers") forbid (principal, action in Action::"access", resource)
  when { context.chainOwners.contains(Owner::"stranger") };
@id("not-by-way-of-the-relay") forbid (principal, action in Action::"access", resource)
  when { context.chain.contains(Workload::"lab:relay") && context.delegationDepth > 1 };
@id("guests-are-handed-nothing") forbid (principal, action == Action::"openTask", resource)
  when { resource.workload == Workload::"lab:guest" && context has delegatedBy && context.chainOwners.contains(Owner::"sre") };
@id("lab-opens-for-others") permit (principal in Issuer::"lab", action == Action::"openTask", resource);`;

interface Granted {
  access_token: string;
  task_id: string;
  scope: string;
}
interface Claims {
  sub: string;
  client_id: string;
  jti: string;
  exp: number;
  act?: object;
  txn: string;
  task: { id: string; lineage: string[]; purpose: string };
  causes: string[];
}
type Wish = Record<string, string | undefined>;

let broker: TestBroker;
let soc: string;

beforeAll(async () => {
  broker = await startBroker({ policies: POLICIES, config: { lifetimes: { credential: 300 } } });
  soc = await broker.identity('soc', { team: 'security', exp: 4_000_000_000 });
});

const ok = ({ status, text, body }: Reply): Granted => {
  if (status !== 200) throw new Error(text);
  return body as Granted;
};
const claimsOf = ({ access_token: token }: Granted): Claims =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;

/** What a workload gets for itself. */
const own = async (sub: string, wish: Wish = {}, claims = {}) =>
  ok(await broker.exchange(await broker.identity(sub, claims), { scope: 'incident/*:read', ...wish }));

/** What a workload gets for a person. */
const forAda = async (sub: string, claims = {}) =>
  ok(
    await broker.exchange(await broker.person('ada', claims), {
      scope: 'incident/*:read',
      actor_token: await broker.identity(sub),
      actor_token_type: JWT,
    }),
  );

/** What a workload asks for with a credential of another. */
const ask = async (
  { access_token: token }: Pick<Granted, 'access_token'>,
  actor: string,
  wish: Wish = {},
  claims = {},
) => broker.exchange(token, handingOn(await broker.identity(actor, claims), wish));
const handOn = async (...asked: Parameters<typeof ask>) => ok(await ask(...asked));

/** What a workload asks for with its own. */
const narrow = async ({ access_token: token }: Granted, sub: string, wish: Wish = {}) =>
  broker.exchange(token, { ...HANDED_ON, ...wish }, { authorization: `Bearer ${await broker.identity(sub)}` });

const isActive = async ({ access_token: token }: Granted) =>
  ((await broker.introspect(token, await broker.identity('tickets-api', { team: 'apis' }))).body as { active: boolean })
    .active;

const revoke = async (kind: string, value: string, effect: string) => {
  const order = { selector: { kind, value }, effect, reason: 'test', unseen: true };
  const { status, body, text } = await broker.post('/revocations', order, soc);
  if (status !== 200) throw new Error(text);
  return body as { seq: number; affected: { credentials: number; tasks: number } };
};
const taskState = async (id: string) => ((await broker.get(`/tasks/${id}`, soc)).body as { state: string }).state;

describe('a credential as subject_token', () => {
  it('gives another workload a task below, with all who act for whom, and hangs on all that the first hangs on', async () => {
    const first = await forAda('planner');
    const second = await handOn(first, 'scout', { scope: 'incident/4711:read' });
    const third = await handOn(second, 'clerk');
    const [one, two, three] = [first, second, third].map(claimsOf) as [Claims, Claims, Claims];
    expect([two.sub, two.client_id, two.act]).toEqual([
      'staff:ada',
      'lab:scout',
      { sub: 'lab:scout', act: { sub: 'lab:planner' } },
    ]);
    expect(three.act).toEqual({ sub: 'lab:clerk', act: { sub: 'lab:scout', act: { sub: 'lab:planner' } } });
    expect([three.sub, three.txn]).toEqual(['staff:ada', one.task.id]);
    expect(three.task).toEqual({ id: third.task_id, lineage: [one.task.id, two.task.id], purpose: one.task.purpose });
    expect(third.scope).toBe('incident/4711:read');
    expect(two.causes).toEqual(expect.arrayContaining(one.causes));
    expect(three.causes).toEqual(expect.arrayContaining(two.causes));
    expect(await isActive(third)).toBe(true);
  });

  it('names the workload that began as the subject, where it serves nobody else', async () => {
    const { sub, act } = claimsOf(await handOn(await handOn(await own('planner'), 'scout'), 'clerk'));
    expect([sub, act]).toEqual(['lab:planner', { sub: 'lab:clerk', act: { sub: 'lab:scout' } }]);
  });

  it('gives nothing that lives longer, and lets the sub-agent renew until then from its own task', async () => {
    const first = await own('planner', { lifetime: '120' });
    const second = await handOn(first, 'scout', { lifetime: '60' });
    await broker.advance(100_000);
    const wish = { task_id: second.task_id, purpose: undefined, scope: 'incident/4711:read' };
    const renewed = ok(await broker.exchange(await broker.identity('scout'), wish));
    expect(claimsOf(renewed).exp).toBe(claimsOf(first).exp);
    expect(claimsOf(renewed).act).toEqual({ sub: 'lab:scout' });
    expect(await isActive(renewed)).toBe(true);
    await broker.advance(20_000);
    expect(await taskState(second.task_id)).toBe('expired');
    const late = await broker.exchange(await broker.identity('scout'), wish);
    expectOAuthRefusal(late, 400, 'invalid_grant', /^The task has ended: expired\.$/);
  });

  it('asks policy anew for each hop, with the whole chain', async () => {
    const contractor = { team: 'contractor' };
    const directly = await broker.exchange(await broker.identity('temp', contractor), { scope: 'incident/1:read' });
    expectOAuthRefusal(directly, 400, 'access_denied', /contractors-get-nothing-directly/);
    const byPlanner = await handOn(await own('planner'), 'temp', {}, contractor);
    expectOAuthRefusal(
      await ask(byPlanner, 'temp2', {}, contractor),
      400,
      'access_denied',
      /contractors-get-nothing-directly/,
    );
    const strange = await own('alien', {}, { team: 'stranger' });
    expectOAuthRefusal(await ask(strange, 'scout'), 400, 'access_denied', /nothing-by-way-of-strangers/);
    const relayed = await handOn(await own('relay'), 'scout');
    expectOAuthRefusal(await ask(relayed, 'clerk'), 400, 'access_denied', /not-by-way-of-the-relay/);
  });

  it('asks policy whether the task may be opened for it, with the whole chain too', async () => {
    await own('guest');
    const first = await own('planner');
    const refused = /^Policy forbids opening this task, by .guests-are-handed-nothing.\.$/;
    expectOAuthRefusal(await ask(first, 'guest'), 400, 'access_denied', refused);
    const wish = { purpose: 'part', parent: first.task_id, workload: 'lab:guest' };
    expectProblem(await broker.post('/tasks', wish, await broker.identity('planner')), 403, 'access_denied', refused);
    const itself = await broker.post('/tasks', { purpose: 'part' }, await broker.identity('guest'));
    expect(itself.status).toBe(201);
  });

  it('is handed on by the client that authenticates itself, too', async () => {
    const { access_token: token } = await own('planner');
    const authorization = `Bearer ${await broker.identity('scout')}`;
    const second = ok(await broker.exchange(token, HANDED_ON, { authorization }));
    expect(claimsOf(second)).toMatchObject({ sub: 'lab:planner', client_id: 'lab:scout', act: { sub: 'lab:scout' } });
  });

  it('is narrowed by its own holder, in a task below and with nothing forgotten', async () => {
    const first = await forAda('planner');
    const second = ok(await narrow(first, 'planner', { scope: 'incident/4711:read' }));
    const [one, two] = [claimsOf(first), claimsOf(second)];
    expect([two.sub, two.act, two.task.lineage]).toEqual([one.sub, one.act, [one.task.id]]);
    expect(two.causes).toEqual(expect.arrayContaining(one.causes));
    expectOAuthRefusal(
      await ask(second, 'scout', { scope: 'incident/4712:read' }),
      400,
      'invalid_scope',
      /beyond what was handed on/,
    );
    await revoke('credential', one.jti, 'end');
    expect(await isActive(second)).toBe(false);
  });

  it('keeps whom it serves in every task below, also one that is opened ahead', async () => {
    const second = await handOn(await own('planner'), 'scout');
    const opened = await broker.post(
      '/tasks',
      { purpose: 'more', parent: second.task_id },
      await broker.identity('scout'),
    );
    const { id } = opened.body as { id: string };
    const wish = { task_id: id, purpose: undefined, scope: 'incident/4711:read' };
    const { sub, act } = claimsOf(ok(await broker.exchange(await broker.identity('scout'), wish)));
    expect([sub, act]).toEqual(['lab:planner', { sub: 'lab:scout' }]);
  });

  it('has the purpose of the first, as whoever set it; another one is that of the agent', async () => {
    const first = await own('planner', { purpose: 'audit 2026' });
    expect(claimsOf(await handOn(first, 'scout')).task.purpose).toBe('audit 2026');
    expect(claimsOf(await handOn(first, 'scout', { purpose: 'lunch' })).task.purpose).toBe('lunch');
  });

  it('with an Idempotency-Key is handed on once, and is another request with another credential', async () => {
    const [first, other] = [await own('planner'), await own('planner')];
    const scout = await broker.identity('scout');
    const send = ({ access_token: token }: Granted) =>
      broker.exchange(token, handingOn(scout), { 'idempotency-key': 'once' });
    expect(ok(await send(first)).task_id).toBe(ok(await send(first)).task_id);
    expectOAuthRefusal(await send(other), 409, 'conflict');
  });
});

describe('what was handed on ends at once', () => {
  it.each([
    ['the credential that was handed on', (first: Claims) => ['credential', first.jti, 'end']],
    ['the team of the first', () => ['owner', 'sre', 'cutoff']],
  ] as const)('with %s', async (_what, selector) => {
    await broker.advance(60_000);
    const first = await forAda('planner', {});
    const third = await handOn(await handOn(first, 'scout'), 'clerk', {}, { team: 'other' });
    const [kind, value, effect] = selector(claimsOf(first)) as [string, string, string];
    expect(await isActive(third)).toBe(true);
    await revoke(kind, value, effect);
    expect([await isActive(third), await taskState(third.task_id)]).toEqual([false, 'revoked']);
  });
});

describe('what was handed on, while something above is held', () => {
  it('has ended for good, because the credential has by which it was', async () => {
    await broker.advance(60_000);
    const first = await own('holder');
    const second = await handOn(first, 'scout');
    const opened = await broker.post(
      '/tasks',
      { purpose: 'p', parent: second.task_id },
      await broker.identity('scout'),
    );
    const { id: below } = opened.body as { id: string };
    const { seq } = await revoke('workload', 'lab:holder', 'hold');
    expectOAuthRefusal(
      await ask(first, 'scout'),
      400,
      'invalid_request',
      /^The subject token is a credential that has been revoked\.$/,
    );
    await broker.remove(`/revocations/${seq}`, soc);
    expect(await taskState(below)).toBe('revoked');
    expect([await isActive(first), await isActive(second), await taskState(second.task_id)]).toEqual([
      false,
      false,
      'revoked',
    ]);
    const wish = { task_id: second.task_id, purpose: undefined, scope: 'incident/4711:read' };
    const renewed = await broker.exchange(await broker.identity('scout'), wish);
    expectOAuthRefusal(renewed, 400, 'invalid_grant', /^The task has ended: revoked\.$/);
  });

  it('goes on after a hold on the sub-agent alone, since the credential lives by which it was', async () => {
    await broker.advance(60_000);
    const second = await handOn(await own('planner'), 'sleeper');
    const { seq } = await revoke('workload', 'lab:sleeper', 'hold');
    expect([await isActive(second), await taskState(second.task_id)]).toEqual([false, 'suspended']);
    await broker.remove(`/revocations/${seq}`, soc);
    expect(await taskState(second.task_id)).toBe('open');
  });
});

it('the audit log says by which credential it was handed on, and who acts for whom', async () => {
  const [first, auditor] = [await own('planner'), await broker.identity('soc', { team: 'security' })];
  const { task_id: task } = await handOn(first, 'scout');
  const { body } = await broker.get(`/audit?task=${task}&type=credential.granted`, auditor);
  expect(JSON.parse((body as { lines: string[] }).lines[0] ?? '')).toMatchObject({
    handedOn: claimsOf(first).jti,
    chain: ['lab:scout', first.task_id, 'lab:planner'],
    principal: 'lab:planner',
  });
});

it('the receipt of an ended credential counts what was handed on by it', async () => {
  const first = await own('planner');
  await handOn(await handOn(first, 'scout'), 'clerk');
  expect((await revoke('credential', claimsOf(first).jti, 'end')).affected).toMatchObject({ credentials: 3, tasks: 2 });
});

describe('is refused', () => {
  const refusedAs = async (wish: Wish, status: number, code: string, text: RegExp, actor = 'scout') => {
    const { access_token: token } = await own('planner', { scope: 'incident/4711:read', lifetime: '60' });
    expectOAuthRefusal(await ask({ access_token: token }, actor, wish), status, code, text);
  };

  it.each([
    ['access that is wider by one segment', { scope: 'incident/*:read' }],
    ['access to what is beside', { scope: 'incident/4712:read' }],
    ['access to what is below', { scope: 'incident/4711/attachment/1:read' }],
    ['another action', { scope: 'incident/4711:write' }],
  ])('%s', (_what, wish) => refusedAs(wish, 400, 'invalid_scope', /^The request goes beyond what was handed on\.$/));

  it('access at another target', () =>
    refusedAs(
      { resource: WIKI, scope: 'a:read' },
      400,
      'invalid_target',
      /^The token presented was issued for another resource\.$/,
    ));

  it('a task_id beside it', () =>
    refusedAs(
      { task_id: 'tsk_aaaaaaaaaaaaaaaa' },
      400,
      'invalid_request',
      /opens a task below its own: leave out task_id/,
    ));

  it('the workload itself as actor', () =>
    refusedAs(
      {},
      400,
      'invalid_request',
      /^The actor_token is of the workload that holds the credential: to narrow it/,
      'planner',
    ));

  it('whom it serves as actor', async () => {
    const second = await handOn(await own('planner'), 'scout');
    expectOAuthRefusal(
      await ask(second, 'planner'),
      400,
      'invalid_request',
      /already for the workload that would act: its subject/,
    );
  });

  it('a person as actor', async () =>
    refusedAs(
      { actor_token: await broker.person('ada') },
      400,
      'invalid_request',
      /is handed on to a workload, and not to a person/,
    ));

  it('nobody as actor', () =>
    refusedAs(
      { actor_token: undefined, actor_token_type: undefined },
      400,
      'invalid_request',
      /^A credential of this broker proves no identity\. To hand it on, /,
    ));

  it('an actor that is only named', () =>
    refusedAs(
      { actor_token: undefined, actor_token_type: undefined, client_id: 'lab:planner' },
      400,
      'invalid_request',
      /proves no identity/,
    ));

  it('an actor that is another than the client', async () => {
    const { access_token: token } = await own('planner');
    const authorization = `Bearer ${await broker.identity('clerk')}`;
    const reply = await broker.exchange(token, handingOn(await broker.identity('scout')), { authorization });
    expectOAuthRefusal(reply, 400, 'invalid_request', /^The client is not the workload whose token was presented\.$/);
  });

  it.each([
    ['expired', { exp: 1 }, /^The actor token has expired\.$/],
    ['for another audience', { aud: 'https://other.example' }, /^The actor token must have exactly the audience/],
    [
      'of an issuer that is not trusted',
      { iss: 'https://evil.example' },
      /^The actor token comes from no issuer that is trusted here\.$/,
    ],
  ])('an actor token that is %s', async (_what, claims, text) => {
    const { access_token: token } = await own('planner');
    expectOAuthRefusal(await ask({ access_token: token }, 'scout', {}, claims), 400, 'invalid_request', text);
  });

  it('a credential as actor token', async () => {
    const { access_token: token } = await own('scout');
    await refusedAs(
      { actor_token: token },
      400,
      'invalid_request',
      /^The actor token names this broker as its issuer, and what the broker issues proves no identity/,
    );
  });

  it('the declaration as an id_token', () =>
    refusedAs(
      { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
      400,
      'invalid_request',
      /is declared as urn:ietf:params:oauth:token-type:access_token\.$/,
    ));

  it('a credential that has expired, was changed, or comes from a broker with other keys', async () => {
    const first = await own('planner', { lifetime: '30' });
    const [head, body = '', signature] = first.access_token.split('.');
    const changed = Buffer.from(JSON.stringify({ ...claimsOf(first), client_id: 'lab:scout' })).toString('base64url');
    const { access_token: foreign } = { access_token: await broker.lab.token({ ...claimsOf(first) }) };
    const none = /^The subject token is no valid credential of this broker\.$/;
    expect(body).not.toBe(changed);
    for (const token of [`${head}.${changed}.${signature}`, foreign])
      expectOAuthRefusal(await ask({ access_token: token }, 'scout'), 400, 'invalid_request', none);
    await broker.advance(31_000);
    expectOAuthRefusal(await ask(first, 'scout'), 400, 'invalid_request', none);
  });

  it('a credential of another deployment: of another issuer, and of one that says it is this broker', async () => {
    for (const [config, text] of [
      [{}, /^The subject token comes from no issuer that is trusted here\.$/],
      [{ issuer: broker.url }, /^The subject token is no valid credential of this broker\.$/],
    ] as const) {
      const other = await startBroker({ policies: POLICIES, config });
      const theirs = ok(await other.exchange(await other.identity('planner'), { scope: 'incident/4711:read' }));
      expect(claimsOf(theirs)).toMatchObject({ iss: 'issuer' in config ? broker.url : other.url });
      expectOAuthRefusal(await ask(theirs, 'scout'), 400, 'invalid_request', text);
      await other.close();
    }
  });

  it('a chain that is deeper than configured', async () => {
    const third = await handOn(await handOn(await handOn(await own('planner'), 'a'), 'b'), 'c');
    expectOAuthRefusal(await ask(third, 'd'), 400, 'invalid_request', /^Tasks nest at most 3 deep\.$/);
  });

  it('a sub-agent that is held', async () => {
    const first = await own('planner');
    const { seq } = await revoke('workload', 'lab:held', 'hold');
    const reply = await ask(first, 'held');
    expectOAuthRefusal(reply, 400, 'access_denied', /^A hold is in force/);
    expect(reply.body).toMatchObject({ retry: 'after-lift' });
    await broker.remove(`/revocations/${seq}`, soc);
  });
});

it('the task of another is not readable by whoever was handed something on', async () => {
  const first = await own('planner');
  await handOn(first, 'scout');
  expectProblem(await broker.get(`/tasks/${first.task_id}`, await broker.identity('scout')), 404, 'not_found');
});

describe('a task that continues another', () => {
  const open = async (more: object, sub = 'planner') =>
    broker.post('/tasks', { purpose: 'more', ...more }, await broker.identity(sub));

  it('names it, also in the audit log, and lives by itself', async () => {
    const { task_id: continues } = await own('planner');
    const { body } = await open({ continues });
    const { id } = body as { id: string };
    expect(body).toMatchObject({ continues, lineage: [], state: 'open' });
    await revoke('task', continues, 'end');
    expect([await taskState(continues), await taskState(id)]).toEqual(['revoked', 'open']);
    const auditor = await broker.identity('soc', { team: 'security' });
    const { text } = await broker.get(`/audit?task=${id}&type=task.opened`, auditor);
    expect(text).toContain(`\\"continues\\":\\"${continues}\\"`);
    const opened = { type: 'task.opened', task: id, text: expect.stringContaining(`goes on with ${continues}`) };
    for (const task of [continues, id]) {
      const { entries } = (await broker.get(`/timeline?task=${task}`, await broker.identity('soc'))).body as {
        entries: { type: string; task?: string }[];
      };
      expect(entries.filter((one) => one.type === 'task.opened' && one.task === id)).toEqual([
        expect.objectContaining(opened),
      ]);
    }
  });

  it('is refused for a task that its caller may not read, as for one that does not exist', async () => {
    const { task_id: continues } = await own('planner');
    const none = /^There is no earlier task with that id\.$/;
    expectProblem(await open({ continues }, 'stranger'), 404, 'not_found', none);
    expectProblem(await open({ continues: 'tsk_aaaaaaaaaaaaaaaa' }), 404, 'not_found', none);
  });
});
