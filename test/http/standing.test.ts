/** GET /workloads/{id}, /owners/{name} and /holds: an agent misbehaves, whose is it, what does it hold, and is it held? */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { expectProblem } from '../support/expect-refusal.js';
import { until } from '../support/until.js';

const WATCHER = `@id("watchers-see-revocations")
permit (principal == Workload::"lab:watcher", action == Action::"readRevocations", resource);
@id("other-teams-read")
permit (principal, action == Action::"read", resource) when { principal in [Owner::"red", Owner::"blue", Owner::"green"] };`;
const SRE = { contact: '#sre-oncall', runbook: 'https://wiki.example/agents' };

let broker: TestBroker;
let soc: string;

beforeAll(async () => {
  broker = await startBroker({ policies: WATCHER, config: { owners: { sre: SRE } } });
  soc = await broker.identity('soc', { expiresInSeconds: 86_400 });
});

const agentOf = (sub: string, team: string) => broker.identity(sub, { team });
const shown = async (path: string, bearer = soc) => (await broker.get(path, bearer)).body;
const revoke = async (kind: string, value: string) =>
  (await broker.post('/revocations', { selector: { kind, value }, reason: 'odd', unseen: true }, soc)).body as {
    seq: number;
  };

describe('GET /workloads/{id}', () => {
  it('says whose it is, what is alive and where, and that nothing holds it', async () => {
    await broker.exchange(await agentOf('agent-7', 'sre'));
    await until(async () => 'lastSeenAt' in ((await shown('/workloads/lab:agent-7')) as object), 'it was not entered');
    expect(await shown('/workloads/lab:agent-7')).toEqual({
      workload: 'lab:agent-7',
      issuer: 'lab',
      owner: { name: 'sre', ...SRE },
      lastSeenAt: expect.any(String),
      seen: true,
      live: { credentials: 1, tasks: 1, byTarget: { [TICKETS]: 1 }, byOwner: { sre: 1 } },
      all: true,
      risk: 'LOW',
      held: false,
      holds: [],
      refusals: [],
    });
  });

  it('has its last refusals, the latest first, and those of nobody else', async () => {
    const [agent, other] = [await agentOf('agent-8', 'sre'), await agentOf('agent-9', 'sre')];
    for (const scope of ['customer/1:read', 'customer/2:read']) await broker.exchange(agent, { scope });
    await broker.exchange(other, { scope: 'customer/3:read' });
    const { refusals } = (await shown('/workloads/lab:agent-8')) as { refusals: { decision: string }[] };
    expect(refusals).toEqual([
      expect.objectContaining({ error: 'access_denied', target: TICKETS }),
      expect.objectContaining({ error: 'access_denied', target: TICKETS }),
    ]);
    expect(refusals[0]?.decision).not.toBe(refusals[1]?.decision);
  });

  it('has the holds on it and on its team, and nothing is alive under these', async () => {
    await broker.exchange(await agentOf('agent-5', 'red'));
    expect(await shown('/workloads/lab:agent-5')).toMatchObject({ held: false, live: { credentials: 1 } });
    const [own, team] = [await revoke('workload', 'lab:agent-5'), await revoke('owner', 'red')];
    expect(await shown('/workloads/lab:agent-5')).toMatchObject({
      held: true,
      live: { credentials: 0 },
      holds: [{ seq: team.seq }, { seq: own.seq }],
    });
    await broker.send(`/revocations/${team.seq}`, { method: 'DELETE', headers: { Authorization: `Bearer ${soc}` } });
    expect(await shown('/workloads/lab:agent-5')).toMatchObject({ held: true, holds: [{ seq: own.seq }] });
  });

  it('says of a workload that nobody knows that nothing was seen of it; an id that nobody could prove is 400', async () => {
    expect(await shown('/workloads/lab:agent-77')).toMatchObject({ seen: false, live: { tasks: 0 }, held: false });
    expectProblem(await broker.get('/workloads/agent-7', soc), 400, 'invalid_request', /No configured issuer/);
    expectProblem(await broker.get('/workloads/nowhere:agent-7', soc), 400, 'invalid_request');
  });

  it('is for those who may read revocations, and leaves refusals out for those who may not read the audit log', async () => {
    const agent = await agentOf('agent-7', 'sre');
    for (const path of ['/workloads/lab:agent-7', '/workloads/lab:agent-77', '/owners/sre'])
      expectProblem(await broker.get(path, agent), 403, 'access_denied');
    const known = await shown('/workloads/lab:agent-8', await broker.identity('watcher'));
    expect(known).toMatchObject({ workload: 'lab:agent-8' });
    expect(known).not.toHaveProperty('refusals');
  });
});

interface Listed {
  workloads: { workload: string; held: boolean }[];
  next?: string;
}

describe('GET /workloads', () => {
  const list = async (query: string, bearer = soc) => (await shown(`/workloads${query}`, bearer)) as Listed;
  const namesIn = async (query: string, bearer = soc) =>
    (await list(query, bearer)).workloads.map(({ workload }) => workload).toSorted();

  beforeAll(async () => {
    await broker.exchange(await agentOf('listed-1', 'green'));
    await broker.exchange(await agentOf('listed-2', 'green'));
    await until(async () => (await namesIn('?owner=green')).length === 2, 'they are not in the list');
  });

  it('has a row for each workload that called, with whose it is, and whether it is held', async () => {
    expect((await list('?owner=green&limit=1')).workloads).toHaveLength(1);
    expect((await list('?owner=green')).workloads).toContainEqual({
      workload: 'lab:listed-1',
      issuer: 'lab',
      owner: { name: 'green' },
      lastSeenAt: expect.any(String),
      held: false,
      risk: 'LOW',
    });
    const { seq } = await revoke('workload', 'lab:listed-2');
    expect(await namesIn('?owner=green&held=true')).toEqual(['lab:listed-2']);
    expect(await namesIn('?owner=green&held=false')).toEqual(['lab:listed-1']);
    expect(await namesIn('?owner=green&risk=HIGH')).toEqual([]);
    expect(await namesIn('?owner=green&issuer=staff')).toEqual([]);
    await broker.send(`/revocations/${seq}`, { method: 'DELETE', headers: { Authorization: `Bearer ${soc}` } });
    expect(await namesIn('?owner=green&held=true')).toEqual([]);
  });

  it('counts what is alive where it is asked to', async () => {
    const { workloads } = await list('?owner=green&live=true');
    const row = workloads.find(({ workload }) => workload === 'lab:listed-1');
    expect(row).toMatchObject({ live: { credentials: 1, tasks: 1, byTarget: { [TICKETS]: 1 } }, all: true });
  });

  it('shows a workload itself, where it may read its own tasks, and nobody else; the watcher, all', async () => {
    expect(await namesIn('', await agentOf('listed-1', 'green'))).toEqual(['lab:listed-1']);
    expect(await namesIn('?owner=green', await broker.identity('watcher'))).toEqual(['lab:listed-1', 'lab:listed-2']);
  });

  it.each(['held=yes', 'after=aa.1', 'after=zz.1.1', 'after=tsk_aaaaaaaaaaaaaaaa', 'limit=501', 'target=x'])(
    'is 400 for %s',
    async (query) => {
      expectProblem(await broker.get(`/workloads?${query}`, soc), 400, 'invalid_request');
    },
  );
});

describe('GET /owners/{name}', () => {
  it('says whom to ask, what of the team is alive, and what holds it', async () => {
    await broker.exchange(await agentOf('agent-4', 'blue'));
    expect(await shown('/owners/blue')).toMatchObject({
      owner: { name: 'blue' },
      seen: true,
      live: { credentials: 1, tasks: 1 },
      held: false,
    });
    expect(await shown('/owners/sre')).toMatchObject({ owner: { name: 'sre', ...SRE } });
    const { seq } = await revoke('owner', 'blue');
    expect(await shown('/owners/blue')).toMatchObject({ live: { credentials: 0 }, held: true, holds: [{ seq }] });
  });

  it.each(['constructor', '__proto__'])('takes no property of the language for a team: %s', async (name) => {
    expect(await shown(`/owners/${name}`)).toMatchObject({ owner: { name }, seen: false });
    expect(Object.keys(((await shown(`/owners/${name}`)) as { owner: object }).owner)).toEqual(['name']);
  });

  it('is 400 for what is no name', async () => {
    expectProblem(await broker.get('/owners/%20', soc), 400, 'invalid_request', /name of the team/);
  });
});

describe('GET /holds', () => {
  it('answers as GET /revocations?state=held does, page by page, without what was lifted', async () => {
    const [first, lifted, last] = [
      await revoke('owner', 'holds-1'),
      await revoke('owner', 'holds-2'),
      await revoke('owner', 'holds-3'),
    ];
    await broker.send(`/revocations/${lifted.seq}`, { method: 'DELETE', headers: { Authorization: `Bearer ${soc}` } });
    const whole = (await shown('/holds')) as { revocations: { seq: number; effect: string }[] };
    expect(whole).toEqual(await shown('/revocations?state=held'));
    expect(whole.revocations.map(({ seq }) => seq)).toEqual(expect.arrayContaining([first.seq, last.seq]));
    expect(whole.revocations.map(({ seq }) => seq)).not.toContain(lifted.seq);
    const page = (await shown(`/holds?after=${first.seq}&limit=1`)) as { revocations: unknown[] };
    expect(page).toEqual(await shown(`/revocations?state=held&after=${first.seq}&limit=1`));
    expect(page).toMatchObject({ revocations: [{ seq: last.seq }], next: last.seq });
    expect(await shown('/holds?reaction=nobody')).toEqual({ revocations: [] });
  });

  it('lists holds alone, for those who may read revocations', async () => {
    expectProblem(await broker.get('/holds?state=lifted', soc), 400, 'invalid_request');
    expectProblem(await broker.get('/holds', await agentOf('agent-7', 'sre')), 403, 'access_denied');
  });
});
