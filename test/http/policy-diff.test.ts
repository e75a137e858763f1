/** `mayfly policy diff`: what changed policies would have answered to what was asked. And `policy explain` of the same decisions. */
import { cpSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { run } from '../../src/cli/run.js';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import type { Reply } from '../support/calls.js';
import { temporaryDirectory } from '../support/directory.js';
import { writePolicies } from '../support/policy.js';

const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

const POLICIES = `
@id("writers-write") permit (principal == Workload::"lab:writer", action == Action::"write", resource in Target::"${TICKETS}");
@id("ada-reads-the-wiki") permit (principal in Issuer::"lab", action == Action::"read", resource in Target::"${WIKI}")
  when { context has onBehalfOf && context.onBehalfOf.hasTag("email") && context.onBehalfOf.getTag("email") == "ada@staff.example" };
@id("archived-stays") forbid (principal, action == Action::"write", resource)
  when { context has given && context.given.resource.hasTag("status") };
@id("api-says") permit (principal == Workload::"lab:tickets-api", action == Action::"assertProperties", resource);`;

let broker: TestBroker;
let soc: string;
let directory: string;

const ONE = { group: 'sre-oncall', approvers: 1 };

const granted = ({ status, text, body }: Reply) => {
  if (status !== 200) throw new Error(text);
  return body as { access_token: string; task_id: string };
};
const refused = ({ body }: Reply) => (body as { decision_id: string }).decision_id;

const asked = { refusedWrite: '', waiting: '', refusedVerb: '' };

beforeAll(async () => {
  broker = await startBroker({ policies: POLICIES, config: { limits: { perWorkloadPerMinute: 100_000 } } });
  directory = (parse(readFileSync(broker.configFile, 'utf8')) as { policy: { directory: string } }).policy.directory;
  soc = await broker.identity('soc', { exp: 4_000_000_000 });
  await everythingThatIsAsked();
});

/** Something of each kind: for oneself, a person and a task of somebody else, handed on, patterns, refusals, verbs, uses. */
async function everythingThatIsAsked(): Promise<void> {
  const of = (sub: string) => broker.identity(sub);
  const actor = { actor_token: await of('agent-7'), actor_token_type: JWT };
  for (let index = 1; index <= 3; index += 1) {
    granted(await broker.exchange(await of('agent-7'), { scope: `incident/${index}:read` }));
    granted(await broker.exchange(await of('writer'), { scope: `incident/${index}:write incident/${index}:read` }));
  }
  const own = granted(await broker.exchange(await of('agent-7'), { scope: 'incident/*:read' }));
  const handedOn = { subject_token_type: ACCESS_TOKEN, scope: undefined, resource: undefined, purpose: undefined };
  granted(
    await broker.exchange(own.access_token, {
      ...handedOn,
      actor_token: await of('agent-8'),
      actor_token_type: JWT,
    }),
  );
  const ada = await broker.person('ada', { email: 'ada@staff.example', email_verified: true });
  granted(await broker.exchange(ada, { ...actor, scope: 'page/1:read', resource: WIKI }));
  asked.refusedWrite = refused(await broker.exchange(await of('agent-7'), { scope: 'incident/1:write' }));
  asked.waiting = refused(await broker.exchange(await of('agent-7'), { scope: 'incident/1:export' }));
  const access = [{ type: 'task_access', locations: [TICKETS], identifier: 'incident/*', actions: ['read'] }];
  const opening = { workload: 'lab:agent-9', purpose: 'triage', access };
  const { status, text } = await broker.post('/tasks', opening, await of('orchestrator'));
  expect([status, text]).toEqual([201, expect.any(String)]);
  asked.refusedVerb = refused(await broker.get('/revocations', await of('agent-7')));
  await broker.work('refusals');
}

async function policy(...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await run(['policy', ...args, '-c', broker.configFile], {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    clock: broker.clock,
    env: { MAYFLY_BROKER: broker.url, MAYFLY_TOKEN: soc },
  });
  return { code, out, err: err.join('\n') };
}

/** Returns the policies of the broker with one more. */
function withMore(text: string): string {
  const changed = temporaryDirectory();
  cpSync(directory, changed, { recursive: true });
  return writePolicies({ 'more.cedar': text }, changed);
}

async function diff(against: string, ...more: string[]) {
  const { code, out, err } = await policy('diff', '--against', against, '--json', ...more);
  const lines = out.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, err, changes: lines.slice(0, -1), summary: lines.at(-1) };
}

describe('mayfly policy diff', () => {
  it('of a set with itself finds nothing, over all that was asked', async () => {
    const { code, changes, summary, err } = await diff(directory);
    expect([err, changes]).toEqual(['', []]);
    expect(summary).toEqual({ replayed: expect.any(Number), changed: 0, beyond: 0, notReplayed: {} });
    expect(summary?.['replayed']).toBeGreaterThanOrEqual(13);
    expect(code).toBe(0);
  });

  it('finds exactly what another forbid refuses, one line for each party, action and place', async () => {
    const more = `@id("nobody-writes") forbid (principal, action == Action::"write", resource);`;
    const { code, changes, summary } = await diff(withMore(more));
    expect([code, summary?.['changed']]).toEqual([1, 3]);
    expect(changes).toEqual([
      {
        who: 'lab:writer',
        action: 'write',
        resource: `${TICKETS}#incident/**`,
        from: { outcome: 'permit', lifetimeSeconds: 300, policies: expect.arrayContaining(['writers-write']) },
        to: { outcome: 'deny', policies: ['nobody-writes'] },
        count: 3,
        first: expect.any(String),
        last: expect.any(String),
        example: expect.stringMatching(/^dec_/),
      },
    ]);
  });

  it.each([
    [
      'a shorter life',
      '@id("a-minute") @lifetime("60") forbid (principal == Workload::"lab:writer", action in Action::"access", resource) when { context.lifetimeSeconds > 60 };',
      [{ who: 'lab:writer', from: { outcome: 'permit' }, to: { outcome: 'permit', lifetimeSeconds: 60 }, count: 3 }],
    ],
    [
      'what a refused party would be permitted',
      '@id("agent-7-writes") permit (principal == Workload::"lab:agent-7", action == Action::"write", resource);',
      [{ who: 'lab:agent-7', from: { outcome: 'deny' }, to: { outcome: 'permit' }, action: 'write', count: 1 }],
    ],
    [
      'another group that has to agree',
      '@id("exports-wait-twice") @approval("dpo") forbid (principal, action == Action::"export", resource) unless { context.approvals.contains("dpo") };',
      [{ action: 'export', from: { needs: [ONE] }, to: { needs: [{ ...ONE, group: 'dpo' }, ONE] } }],
    ],
    [
      'a second person of the group that has to agree',
      '@id("exports-want-two") @approval("sre-oncall") @approvers("2") forbid (principal, action == Action::"export", resource) unless { context.approvals.contains("sre-oncall") };',
      [{ action: 'export', from: { needs: [ONE] }, to: { needs: [{ ...ONE, approvers: 2 }] } }],
    ],
    [
      'a shorter life of what has to be agreed to',
      '@id("a-minute") @lifetime("60") forbid (principal, action == Action::"export", resource) when { context.lifetimeSeconds > 60 };',
      [{ from: { lifetimeSeconds: 300, needs: [ONE] }, to: { lifetimeSeconds: 60, needs: [ONE] } }],
    ],
    [
      'what depends on the claims of a person',
      '@id("not-for-ada") forbid (principal, action in Action::"access", resource) when { context has onBehalfOf && context.onBehalfOf.hasTag("email") && context.onBehalfOf.getTag("email") like "ada@*" };',
      [{ who: 'lab:agent-7', resource: `${WIKI}#page/1`, from: { outcome: 'permit' }, to: { outcome: 'deny' } }],
    ],
    [
      'what depends on the chain',
      '@id("not-handed-on") forbid (principal, action in Action::"access", resource) when { context.chain.contains(Workload::"lab:agent-7") };',
      [{ who: 'lab:agent-8', resource: `${TICKETS}#incident/*`, to: { outcome: 'deny' } }],
    ],
    [
      'the opening of tasks',
      '@id("no-triage") forbid (principal, action == Action::"openTask", resource) when { resource.purpose == "triage" };',
      [{ who: 'lab:orchestrator', action: 'openTask', resource: 'tasks of lab:agent-9', to: { outcome: 'deny' } }],
    ],
    [
      'a verb of the broker',
      '@id("agents-read") permit (principal == Workload::"lab:agent-7", action == Action::"readRevocations", resource);',
      [{ who: 'lab:agent-7', action: 'readRevocations', from: { outcome: 'deny' }, to: { outcome: 'permit' } }],
    ],
  ])('finds %s', async (_, more, expected) => {
    const { changes } = await diff(withMore(more));
    expect(changes).toMatchObject(expected);
  });

  it('says in words what changed, by which policies', async () => {
    const more = `@id("nobody-writes") forbid (principal, action == Action::"write", resource);`;
    const { out } = await policy('diff', '--against', withMore(more), '--since', '1d');
    expect(out[0]).toBe(`lab:writer write ${TICKETS}#incident/**: permit for 300 s → deny, 3 times`);
    expect(out[1]).toMatch(/, as dec_\w+; by .*writers-write.*, and now by nobody-writes$/);
    expect(out.at(-1)).toMatch(/^3 of \d+ decisions that were asked again would have been others\.$/);
  });

  it('says in words whom policy wants to agree, and to how much time', async () => {
    const more = `@id("two") @approval("sre-oncall") @approvers("2") forbid (principal, action == Action::"export", resource) unless { context.approvals.contains("sre-oncall") };`;
    const { out } = await policy('diff', '--against', withMore(more));
    const from = 'needs-approval of sre-oncall, for 300 s';
    expect(out[0]).toBe(`lab:agent-7 export ${TICKETS}#incident/1: ${from} → ${from.replace('of', 'of 2 of')}, once`);
  });

  it('asks only about what is in time, and about one workload', async () => {
    const { summary } = await diff(directory, '--workload', 'lab:writer');
    expect(summary).toMatchObject({ replayed: 3 });
    expect((await diff(directory, '--workload', 'lab:nobody')).summary).toMatchObject({ replayed: 0 });
  });

  it.each([
    ['a directory that is not there', ['--against', '/nowhere'], '/nowhere:1: cannot be read'],
    ['policies with a mistake', ['--against', () => withMore('@id("x") permit (principal, action == Action::"raed", resource);')], 'raed'], // prettier-ignore
    ['no directory', [], "'--against <directory>' not specified"],
    ['a time that is none', ['--against', '.', '--since', 'monday'], 'It is a number of hours or days'],
  ])('ends with 2 where it cannot tell: %s', async (_, args, reason) => {
    const given = args.map((arg) => (typeof arg === 'string' ? arg : arg()));
    const { code, out, err } = await policy('diff', ...given);
    expect([code, out]).toEqual([2, []]);
    expect(err).toContain(reason);
  });

  it('says each mistake on a line of its own', async () => {
    const two = withMore(
      '@id("x") permit (principal, action == Action::"raed", resource);\n@id("y") permit (principal, action == Action::"wrote", resource);',
    );
    const lines: string[] = [];
    const code = await run(['policy', 'diff', '--against', two, '-c', broker.configFile], {
      out: () => undefined,
      err: (line) => void lines.push(line),
      clock: broker.clock,
    });
    expect([code, lines.length]).toEqual([2, 2]);
    for (const line of lines) expect(line).toMatch(/^\/\S+more\.cedar:\d+: /);
  });

  it('ends with 2 for whoever may not read the audit log', async () => {
    const [err, agent] = [[] as string[], await broker.identity('agent-7')];
    const code = await run(['policy', 'diff', '--against', directory, '-c', broker.configFile], {
      out: () => undefined,
      err: (line) => void err.push(line),
      clock: broker.clock,
      env: { MAYFLY_BROKER: broker.url, MAYFLY_TOKEN: agent },
    });
    expect([code, err.join()]).toEqual([2, expect.stringContaining('access_denied')]);
  });
});

describe('mayfly policy explain', () => {
  it.each([
    ['a refusal', () => asked.refusedWrite, 'permit writers-write', 'principal is Workload::"lab:agent-7"'],
    ['what waits for approval', () => asked.waiting, 'forbid export-needs-the-on-call', '; its way out is @approval('],
    ['a verb of the broker', () => asked.refusedVerb, 'permit soc-revokes-and-reads', 'But for one thing'],
  ])('explains the decision of %s', async (_, id, ...texts) => {
    const { code, out } = await policy('explain', '--decision', id());
    expect([code, out[0]]).toEqual([0, expect.stringContaining(`${id()}, 20`)]);
    for (const text of texts) expect(out.join('\n')).toContain(text);
    expect(out.join('\n')).not.toContain('CAREFUL');
  });

  it('knows no decision that never was', async () => {
    expect(await policy('explain', '--decision', 'dec_aaaaaaaaaaaaaaaa')).toMatchObject({
      code: 1,
      err: 'The audit log has no decision dec_aaaaaaaaaaaaaaaa. It keeps entries for audit.retentionDays.',
    });
  });
});
