/** /timeline: everything that happened to a task or a workload, by whatever name it was hit, and nothing that happened to others. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TestBroker } from '../support/brokers/http.js';
import { decodeJwt } from 'jose';
import type { Reply } from '../support/calls.js';
import { handingOn } from '../support/handing-on.js';
import { until } from '../support/until.js';
import { expectProblem } from '../support/expect-refusal.js';
import { minted, startSignalBroker } from '../support/brokers/signals.js';
import { workload } from '../support/issuers/transmitter.js';

const RULES = [{ name: 'note', event: 'session-revoked', do: 'record' }];

interface Entry {
  seq: number;
  at: string;
  type: string;
  by?: string;
  text: string;
  task?: string;
}

let broker: TestBroker;
let soc: string;
let agent: string;

beforeEach(async () => {
  ({ broker } = await startSignalBroker({ reactions: RULES }));
  [soc, agent] = await Promise.all([broker.identity('soc'), broker.identity('agent-7')]);
});

const page = async (query: string) =>
  (await broker.get(`/timeline?${query}`, soc)).body as { entries: Entry[]; next?: number };
const texts = async (query: string) => (await page(query)).entries.map(({ text }) => text);
const types = async (query: string) => (await page(query)).entries.map(({ type }) => type);
const revoke = async (kind: string, value?: string, effect?: string) => {
  await broker.post('/revocations', { selector: { kind, value }, effect, reason: 'odd', unseen: true }, soc);
  broker.clock.advance(10_000);
  soc = await broker.identity('soc'); // Some of what is revoked here hits the SOC as well.
};

async function tell(sub: string): Promise<void> {
  const body = { id: `alert-${sub}`, event: 'session-revoked', subject: workload(sub) };
  const { id } = (await broker.post('/signals/json', body, await broker.identity('siem'))).body as { id: string };
  await until(async () => {
    const { state, unfinished } = (await broker.get(`/signals/${id}`, soc)).body as Record<string, unknown>;
    return state !== 'accepted' && unfinished === undefined;
  }, 'nobody looked at the signal');
}

describe('the timeline of a task', () => {
  it('joins what it was granted, refused and hit by, in order, by names and ids', async () => {
    const { task, id, token } = await minted(broker, 'agent-7');
    await broker.exchange(agent, { task_id: task, purpose: undefined, scope: 'incident/4711:write' });
    await tell('agent-7');
    await revoke('credential', id);
    await broker.introspect(token, await broker.identity('tickets-api'));
    await broker.post(`/tasks/${task}/complete`, { outcome: 'completed', reason: 'done' }, agent);
    const { entries, next } = await page(`task=${task}`);
    expect(next).toBeUndefined();
    expect(entries.map(({ type, by }) => [type, by])).toEqual([
      ['credential.granted', 'lab:agent-7'],
      ['credential.refused', 'lab:agent-7'],
      ['signal.evaluated', undefined],
      ['revocation.published', 'lab:soc'],
      ['introspection.inactive', 'lab:tickets-api'],
      ['revocation.published', 'lab:agent-7'],
    ]);
    expect(entries[0]).toEqual({
      seq: expect.any(Number),
      at: new Date(Date.UTC(2030, 0, 1)).toISOString(),
      type: 'credential.granted',
      by: 'lab:agent-7',
      text: `${id} for https://tickets.example (incident/4711:read), until 2030-01-01T00:05:00.000Z`,
      purpose: 'summarise incident 4711',
      policies: ['workloads-open-their-own-tasks', 'sre-agents-read-incidents'],
      task,
      workload: 'lab:agent-7',
      credential: id,
      target: 'https://tickets.example',
    });
    expect(entries[1]).toMatchObject({ policies: [] });
    expect(entries.slice(3).map(({ text }) => text)).toEqual([
      `end of credential ${id} (revocation 1, revoked)`,
      `${id} presented at https://tickets.example: not active`,
      `end of task ${task} (revocation 2, completed)`,
    ]);
  });

  it('has the revocations of everything it hangs on, and none of others', async () => {
    const { task } = await minted(broker, 'agent-7');
    const other = await minted(broker, 'agent-8');
    for (const [kind, value] of [
      ['workload', 'lab:agent-7'],
      ['owner', 'sre'],
      ['issuer', 'lab'],
      ['principal', 'lab:agent-7'],
      ['target', 'https://tickets.example'],
      ['all', undefined],
    ] as const)
      await revoke(kind, value, 'cutoff');
    for (const [kind, value] of [
      ['workload', 'lab:agent-8'],
      ['owner', 'finance'],
      ['target', 'https://wiki.example'],
      ['task', other.task],
      ['credential', other.id],
    ] as const)
      await revoke(kind, value);
    expect((await texts(`task=${task}`)).slice(1)).toEqual([
      'cutoff of workload lab:agent-7 (revocation 1)',
      'cutoff of owner sre (revocation 2)',
      'cutoff of issuer lab (revocation 3)',
      'cutoff of principal lab:agent-7 (revocation 4)',
      'cutoff of target https://tickets.example (revocation 5)',
      'cutoff of all (revocation 6)',
    ]);
  });

  it('has the end of the task above it, but not what hit its workload after its own', async () => {
    const orchestrator = await broker.identity('orchestrator');
    const open = async (more: object) =>
      (
        (await broker.post('/tasks', { workload: 'lab:agent-7', purpose: 'x', ...more }, orchestrator)).body as {
          id: string;
        }
      ).id;
    const parent = await open({});
    const child = await open({ parent });
    await revoke('task', parent);
    await broker.work('sweep');
    broker.clock.advance(1_000);
    await revoke('workload', 'lab:agent-7', 'cutoff');
    expect(await texts(`task=${child}`)).toEqual([
      `${child} opened for lab:agent-7, until 2030-01-01T01:00:00.000Z`,
      `end of task ${parent} (revocation 1, revoked)`,
    ]);
  });

  it('of a task that never was is empty', async () => {
    expect(await page('task=tsk_aaaaaaaaaaaaaaaa')).toEqual({ entries: [] });
  });
});

describe('the timeline of a workload', () => {
  it('joins all its tasks, their ends, and what hit it, and nothing of others', async () => {
    const one = await minted(broker, 'agent-7');
    const other = await minted(broker, 'agent-8');
    await revoke('task', other.task);
    await revoke('credential', other.id);
    await revoke('task', one.task);
    await revoke('workload', 'lab:agent-7');
    await tell('agent-7');
    await tell('agent-8');
    expect(await types('workload=lab:agent-7')).toEqual([
      'credential.granted',
      'revocation.published',
      'revocation.published',
      'signal.evaluated',
    ]);
    expect((await texts('workload=lab:agent-7'))[1]).toBe(`end of task ${one.task} (revocation 3, revoked)`);
  });

  it('is cut by time, and comes in pages that leave nothing out and nothing twice', async () => {
    for (let count = 0; count < 5; count += 1) await minted(broker, 'agent-7');
    const { entries: all } = await page('workload=lab:agent-7');
    expect(all.length).toBe(5);
    const found: Entry[] = [];
    for (let next: number | undefined = 0; next !== undefined;) {
      const one = await page(`workload=lab:agent-7&limit=2&after=${next}`);
      found.push(...one.entries);
      next = one.next;
    }
    expect(found).toEqual(all);
    const now = new Date(broker.clock.now()).toISOString();
    expect(await types(`workload=lab:agent-7&to=${now}`)).toEqual([]);
    expect(await types(`workload=lab:agent-7&from=${now}`)).toHaveLength(5);
  });
});

it.each([
  '',
  'task=tsk_aaaaaaaaaaaaaaaa&workload=lab:x',
  'task=x',
  'workload=nobody',
  'task=tsk_aaaaaaaaaaaaaaaa&limit=0',
])('?%s is 400', async (query) => {
  expectProblem(await broker.get(`/timeline?${query}`, soc), 400, 'invalid_request');
});

it('is for those whom policy lets read the audit log, and who read it is in it', async () => {
  expectProblem(await broker.get('/timeline?workload=lab:agent-7', agent), 403, 'access_denied');
  expectProblem(await broker.get('/timeline?workload=lab:agent-7'), 401, 'invalid_token');
  await page('workload=lab:agent-7');
  expect(await types('workload=lab:soc')).toContain('audit.read');
});

describe('the timeline of a task that was handed on', () => {
  interface Handed {
    task: string;
    token: string;
    id: string;
  }
  const grantedBy = ({ body, text }: Reply): Handed => {
    const { access_token: token, task_id: task } = body as { access_token?: string; task_id: string };
    if (token === undefined) throw new Error(text);
    return { task, token, id: decodeJwt(token).jti ?? '' };
  };
  const hand = async (from: Handed, to: string) =>
    grantedBy(await broker.exchange(from.token, handingOn(await broker.identity(to))));

  /** Of three agents, each of which got it from the one before. */
  async function line(): Promise<[Handed, Handed, Handed]> {
    const first = grantedBy(await broker.exchange(agent));
    const second = await hand(first, 'scout');
    return [first, second, await hand(second, 'clerk')];
  }

  it.each<[string, (first: Handed) => Promise<unknown>, (first: Handed) => string]>([
    [
      'credential was revoked',
      ({ id }) => revoke('credential', id),
      ({ id }) => `end of credential ${id} (revocation 1, revoked)`,
    ],
    [
      'credential was given back',
      ({ token }) => broker.form('/revoke', { token }, { authorization: `Bearer ${agent}` }),
      ({ id }) => `end of credential ${id} (revocation 1, revoked)`,
    ],
    [
      'task was completed',
      ({ task }) => broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent),
      ({ task }) => `end of task ${task} (revocation 1, completed)`,
    ],
    ['workload was held', () => revoke('workload', 'lab:agent-7'), () => 'hold of workload lab:agent-7 (revocation 1)'],
  ])('says by what it died where the %s of the first agent, also once its record is gone', async (_, ends, said) => {
    const [first, second, third] = await line();
    await ends(first);
    for (const { task, token, id } of [second, third]) {
      expect((await broker.introspect(token, await broker.identity('tickets-api'))).body).toEqual({ active: false });
      expect((await texts(`task=${task}`)).slice(1)).toEqual([
        said(first),
        `${id} presented at https://tickets.example: not active`,
      ]);
    }
    await broker.advance(28_800_000);
    await broker.work('sweep');
    await broker.advance(26 * 3_600_000);
    await broker.work('forget');
    soc = await broker.identity('soc');
    for (const { task } of [second, third]) expect(await texts(`task=${task}`)).toContain(said(first));
  });

  it('has nothing of what its own agent did beside it, nor of what hit the first agent after its end', async () => {
    const [first, second] = await line();
    const beside = grantedBy(await broker.exchange(agent, { task_id: first.task, purpose: undefined }));
    await revoke('credential', beside.id);
    await broker.post(`/tasks/${second.task}/complete`, { outcome: 'completed' }, await broker.identity('scout'));
    broker.clock.advance(10_000);
    soc = await broker.identity('soc');
    await revoke('credential', first.id);
    expect((await texts(`task=${second.task}`)).slice(1)).toEqual([
      `end of task ${second.task} (revocation 2, completed)`,
    ]);
  });
});
