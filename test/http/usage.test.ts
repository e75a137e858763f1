/** What was used of what was granted: APIs report it, the broker knows its own decisions, and whoever may read a task reads both. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { run } from '../../src/cli/run.js';
import { USE_COUNT_MOST, USES_MOST } from '../../src/protocol/usage.js';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import { expectProblem } from '../support/expect-refusal.js';
import { engineOf, toAccess, workload } from '../support/policy.js';

const POLICIES = `
@id("agent-7-writes") permit (principal == Workload::"lab:agent-7", action == Action::"write", resource in Resource::"${TICKETS}#incident");
@id("wiki-reports") permit (principal == Workload::"lab:wiki-api", action == Action::"reportUsage", resource == Target::"${WIKI}");
@id("other-reports") permit (principal == Workload::"lab:other-api", action == Action::"reportUsage", resource == Target::"${TICKETS}");`;

let broker: TestBroker;
let api: string;
let agent: string;
let soc: string;

beforeAll(async () => {
  broker = await startBroker({ policies: POLICIES, config: { limits: { perWorkloadPerMinute: 100_000 } } });
  await identify();
});

async function identify(): Promise<void> {
  const of = (sub: string) => broker.identity(sub);
  [api, agent, soc] = await Promise.all([of('tickets-api'), of('agent-7'), of('soc')]);
}

interface Granted {
  token: string;
  task: string;
  credential: string;
}

async function granted(scope = 'incident/*:read', more: Record<string, string | undefined> = {}): Promise<Granted> {
  const { status, text, body } = await broker.exchange(agent, { scope, ...more });
  expect([status, text]).toEqual([200, expect.any(String)]);
  const { access_token: token, task_id: task } = body as { access_token: string; task_id: string };
  return { token, task, credential: decodeJwt(token).jti ?? '' };
}

interface Used {
  credential: string;
  resource?: string;
  action?: string;
  permitted?: boolean;
  count?: number;
}

const report = (uses: Used[], bearer = api, target = TICKETS) =>
  broker.post('/usage', { target, uses: uses.map((use) => ({ permitted: true, ...use })) }, bearer);
const read = (number: number | string) => ({ resource: `incident/${number}`, action: 'read' });

async function usageOf(task: string, bearer = soc) {
  await broker.work('refusals');
  const { status, body } = await broker.get(`/tasks/${task}/usage`, bearer);
  expect(status).toBe(200);
  return body as { complete: boolean; credentials: { id: string; uses: object[]; unused?: object[] }[] };
}
const usesOf = async (task: string) => (await usageOf(task)).credentials[0]?.uses;
const detail = (identifier: string, actions: string[]) => ({
  type: 'task_access',
  locations: [TICKETS],
  identifier,
  actions,
});
const time: unknown = expect.stringMatching(/^\d{4}-.*Z$/);

describe('GET /tasks/{id}/usage', () => {
  it('shows what each credential was granted, what was used of it on whose word, and what was not', async () => {
    const { task, credential } = await granted('incident/*:read incident/4711:write');
    const second = await granted('incident/1:read', { task_id: task, purpose: undefined });
    expect((await report([{ credential, ...read(1), count: 3 }])).body).toEqual({ taken: 1 });
    await report([
      { credential, ...read(1), count: 2 },
      { credential, ...read(2), permitted: false },
    ]);
    await report([{ credential, ...read(1) }], await broker.identity('other-api'));
    expect(await usageOf(task)).toEqual({
      task,
      complete: true,
      credentials: [
        {
          id: credential,
          target: TICKETS,
          issuedAt: time,
          expiresAt: time,
          access: [detail('incident/*', ['read']), detail('incident/4711', ['write'])],
          uses: [
            { ...read(1), permitted: 5, denied: 0, lastAt: time, reportedBy: 'lab:tickets-api' },
            { ...read(2), permitted: 0, denied: 1, lastAt: time, reportedBy: 'lab:tickets-api' },
            { ...read(1), permitted: 1, denied: 0, lastAt: time, reportedBy: 'lab:other-api' },
          ],
          unused: [detail('incident/4711', ['write'])],
        },
        expect.objectContaining({ id: second.credential, uses: [], unused: [detail('incident/1', ['read'])] }),
      ],
    });
  });

  it('counts what the broker itself was asked about a use, without any report', async () => {
    const { task, token } = await granted();
    const ask = (name: string) =>
      broker.post(
        '/access/v1/evaluation',
        {
          subject: { type: 'credential', id: token },
          action: { name },
          resource: { type: TICKETS, id: 'incident/1' },
        },
        api,
      );
    for (const action of ['read', 'read', 'write']) await ask(action);
    expect(await usesOf(task)).toEqual([
      { resource: 'incident/1', action: 'write', permitted: 0, denied: 1, lastAt: time },
      { resource: 'incident/1', action: 'read', permitted: 2, denied: 0, lastAt: time },
    ]);
  });

  it('marks what an API let pass although it was not granted', async () => {
    const { task, credential } = await granted();
    await report([{ credential, resource: 'customer/1', action: 'read' }]);
    expect(await usesOf(task)).toEqual([expect.objectContaining({ resource: 'customer/1', beyondGrant: true })]);
  });

  it('is for whom the task is for: its workload, and others as policy says', async () => {
    const { task } = await granted();
    expectProblem(await broker.get(`/tasks/${task}/usage`, await broker.identity('agent-8')), 404, 'not_found');
    expectProblem(await broker.get(`/tasks/${task}/usage`, api), 404, 'not_found');
  });

  it('still has everything after the task is over', async () => {
    const { task, credential } = await granted();
    await report([{ credential, ...read(1) }]);
    await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent);
    await report([{ credential, ...read(2) }]);
    expect(await usesOf(task)).toHaveLength(2);
  });
});

describe('a report', () => {
  it('is taken only of credentials for the own target, and says of no other whether it exists', async () => {
    const { task, credential } = await granted();
    const wiki = await broker.identity('wiki-api');
    const foreign = await report([{ credential, ...read(1) }], wiki, WIKI);
    const unknown = await report([{ credential: 'crd_aabbbbbbbbbbbbbb', ...read(1) }], wiki, WIKI);
    expect([foreign.status, foreign.body]).toEqual([200, { taken: 0 }]);
    expect([unknown.status, unknown.body]).toEqual([foreign.status, foreign.body]);
    expectProblem(await report([{ credential, ...read(1) }], wiki, TICKETS), 403, 'access_denied');
    expectProblem(await report([{ credential, ...read(1) }], agent), 403, 'access_denied');
    expect(await usesOf(task)).toEqual([]);
  });

  it('comes too late ten minutes after the credential was over, by itself or with its task', async () => {
    const { credential } = await granted();
    const ended = await granted();
    await broker.post(`/tasks/${ended.task}/complete`, { outcome: 'completed' }, agent);
    await broker.advance(300_000 + 599_000);
    const again = await broker.identity('tickets-api');
    expect((await report([{ credential, ...read(1) }], again)).body).toEqual({ taken: 1 });
    expect((await report([{ credential: ended.credential, ...read(1) }], again)).body).toEqual({ taken: 0 });
    await broker.advance(2_000);
    expect((await report([{ credential, ...read(1) }], again)).body).toEqual({ taken: 0 });
    await identify();
  });

  it('has bounds, and no part of one that breaks them is taken', async () => {
    const { task, credential } = await granted();
    const one = { credential, ...read(1) };
    const bad: Used[][] = [
      [],
      Array.from({ length: USES_MOST + 1 }, () => one),
      [one, { ...one, count: 0 }],
      [one, { ...one, count: USE_COUNT_MOST + 1 }],
      [one, { ...one, resource: 'incident/*' }],
      [one, { ...one, resource: 'incident/../customer' }],
      [one, { ...one, action: '' }],
      [one, { credential, resource: 'incident/1' }],
      [one, { credential, action: 'read' }],
    ];
    for (const uses of bad) expectProblem(await report(uses), 400, 'invalid_request');
    expect(await usesOf(task)).toEqual([]);
    expect((await report(Array.from({ length: USES_MOST }, () => ({ ...one, count: USE_COUNT_MOST })))).status).toBe(
      200,
    );
    expect(await usesOf(task)).toEqual([expect.objectContaining({ permitted: USES_MOST * USE_COUNT_MOST })]);
  });

  it('of ever new resources keeps some apart, counts the rest, and leaves room for what others say', async () => {
    const [flooded, other] = [await granted(), await granted()];
    const uses = Array.from({ length: 100 }, (_, i) => ({ credential: flooded.credential, ...read(i) }));
    await report(uses);
    await report([{ credential: other.credential, ...read(1) }]);
    const shown = (await usesOf(flooded.task)) as { resource?: string; permitted: number }[];
    expect(shown.filter(({ resource }) => resource !== undefined)).toHaveLength(64);
    expect(shown.filter(({ resource }) => resource === undefined)).toEqual([
      expect.objectContaining({ permitted: 36, reportedBy: 'lab:tickets-api' }),
    ]);
    expect(await usesOf(other.task)).toEqual([expect.objectContaining({ ...read(1), permitted: 1 })]);
  });
});

describe('mayfly policy suggest', () => {
  const suggest = async (workload: string, token = soc) => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await run(['policy', 'suggest', '--workload', workload, '--since', '1d'], {
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      clock: broker.clock,
      env: { MAYFLY_BROKER: broker.url, MAYFLY_TOKEN: token },
    });
    return { code, out: out.join('\n'), err: err.join('\n') };
  };
  const grantedTo = async (sub: string, scope: string) => {
    const { body } = await broker.exchange(await broker.identity(sub), { scope });
    return decodeJwt((body as { access_token: string }).access_token).jti ?? '';
  };

  it('prints a permit of what was used alone, which the engine takes, and what it stands on', async () => {
    const credential = await grantedTo('agent-20', 'incident/*:read');
    await report([{ credential, ...read(1), count: 7 }]);
    await broker.work('refusals');
    const { code, out } = await suggest('lab:agent-20');
    expect(code).toBe(0);
    expect(out).toContain('7 uses of 1 credentials on 1 days, as the broker and lab:tickets-api say');
    expect(out).toContain('CAREFUL: one day');
    // Its conditions are not in the suggestion.
    expect(out).toMatch(/CAREFUL: it was granted by [^.]*\bsre-agents-read-incidents\b/);
    const engine = await engineOf(out);
    const outcomeOf = async (path: string, action: string) =>
      (await engine.decide(toAccess(path, action, { by: workload('lab:agent-20') }))).outcome;
    expect(await outcomeOf('incident/1', 'read')).toBe('permit');
    expect([await outcomeOf('incident/2', 'read'), await outcomeOf('incident/1', 'write')]).toEqual(['deny', 'deny']);
  });

  it('suggests nothing where no use is known, and says so', async () => {
    await grantedTo('agent-21', 'incident/1:read');
    const { code, out, err } = await suggest('lab:agent-21');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('do the APIs report?');
    expect((await suggest('lab:agent-22')).err).toContain('has no credential of lab:agent-22');
  });

  it('is refused to whom policy does not let read the audit log', async () => {
    expect(await suggest('lab:agent-20', agent)).toMatchObject({ code: 1, out: '' });
  });
});
