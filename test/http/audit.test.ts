/** /audit: what happened, for those who may read it, in the exact lines that the chain is made of. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { verifyExport } from '../../src/audit/verify.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { expectProblem } from '../support/expect-refusal.js';

let broker: TestBroker;
let soc: string;
let agent: string;
let task: string;

interface Page {
  lines: string[];
  next?: number;
}

beforeAll(async () => {
  broker = await startBroker();
  soc = await broker.identity('soc');
  agent = await broker.identity('agent-7');
  task = ((await broker.exchange(agent)).body as { task_id: string }).task_id;
  await broker.exchange(agent, { scope: 'incident/4711:write' });
  await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent);
});

const page = async (query = '') => (await broker.get(`/audit${query}`, soc)).body as Page;
const entries = async (query = '') =>
  (await page(query)).lines.map((line) => JSON.parse(line) as Record<string, unknown>);
const exported = async (query = '') =>
  (await broker.get(`/audit${query}`, soc, { accept: 'application/x-ndjson' })).text;

describe('GET /audit', () => {
  it('has every grant, refusal, revocation and reading, each with who, what and the request', async () => {
    const types = (await entries()).map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining([
        'policy.loaded',
        'credential.granted',
        'credential.refused',
        'revocation.published',
        'audit.read',
      ]),
    );
    const [granted] = await entries(`?task=${task}&type=credential.granted`);
    expect(granted).toMatchObject({
      actor: { id: 'lab:agent-7', kind: 'workload', issuer: 'lab' },
      decision: {
        outcome: 'permit',
        policies: expect.arrayContaining(['sre-agents-read-incidents']),
        facts: { principal: { id: 'lab:agent-7', owner: 'sre' }, access: { purposeFrom: expect.any(String) } },
      },
      proofHash: expect.stringMatching(/^[\w-]{43}$/),
      requestId: expect.stringMatching(/^req_/),
    });
  });

  it('is filtered by task, workload, credential, decision and time', async () => {
    const [granted] = await entries(`?task=${task}`);
    const { credential, decision } = granted as { credential: string; decision: { id: string } };
    expect(await entries(`?credential=${credential}`)).toMatchObject([{ task }]);
    expect(await entries(`?decision=${decision.id}`)).toMatchObject([{ task }]);
    expect((await entries('?workload=lab:agent-7')).length).toBeGreaterThan(0);
    expect(await entries('?workload=lab:nobody')).toEqual([]);
    const at = new Date(broker.clock.now()).toISOString();
    expect(await entries(`?from=${at}&task=${task}`)).not.toEqual([]);
    expect(await entries(`?to=${at}`)).toEqual([]);
  });

  it('comes in pages that leave nothing out and nothing twice', async () => {
    const { lines: all } = await page('?limit=1000');
    const read: string[] = [];
    let next: number | undefined = 0;
    while (next !== undefined && read.length < all.length) {
      const one: Page = await page(`?limit=2&after=${next}`);
      read.push(...one.lines);
      next = one.next;
    }
    expect(read.slice(0, all.length)).toEqual(all);
  });

  it.each(['?tsak=x', '?limit=0', '?limit=1001', '?from=yesterday', '?task=', '?task=a&task=b', '?upTo=3'])(
    '%s is 400',
    async (query) => {
      expectProblem(await broker.get(`/audit${query}`, soc), 400, 'invalid_request');
    },
  );

  it('is refused to whom policy does not let', async () => {
    expectProblem(await broker.get('/audit', agent), 403, 'access_denied');
    expectProblem(await broker.get('/audit/head', agent), 403, 'access_denied');
    expectProblem(await broker.get('/audit'), 401, 'invalid_token');
  });
});

describe('an export', () => {
  it('verifies against the signed head, and any flipped byte is found', async () => {
    const head = await broker.get('/audit/head', soc);
    expect(head.headers.get('content-type')).toMatch('application/jwt');
    const keys = createRemoteJWKSet(new URL(`${broker.url}/jwks`));
    const { payload } = await jwtVerify(head.text, keys, { typ: 'mayfly-audit-head+jwt', issuer: broker.url });
    const place = payload['head'] as { seq: number; hash: string };
    const lines = (await exported(`?upTo=${place.seq}`)).trimEnd().split('\n');
    expect(await verifyExport(bytesOf(lines), place)).toMatchObject({ ok: true });
    const edited = lines.map((line) => line.replace('lab:agent-7', 'lab:agent-8'));
    expect(await verifyExport(bytesOf(edited), place)).toMatchObject({ ok: false });
  });

  it('is whole: it takes no filter', async () => {
    const reply = await broker.get(`/audit?task=${task}`, soc, { accept: 'application/x-ndjson' });
    expectProblem(reply, 400, 'invalid_request', /is whole/);
  });

  it('has no token in it', async () => {
    expect(await exported()).not.toMatch(/eyJ/);
  });
});

describe('what a caller writes into a request', () => {
  const refusals = async () => (await entries('?limit=1000')).filter(({ error }) => error !== undefined);

  it('gets into no entry where an id belongs, and not at length', async () => {
    const long = 'x'.repeat(5_000);
    expectProblem(await broker.get(`/tasks/${long}`, agent), 404, 'not_found');
    await broker.exchange(agent, { purpose: undefined, task_id: long });
    await broker.exchange(agent, { resource: `https://${long}.example` });
    const lines = (await refusals()).map((line) => JSON.stringify(line));
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(lines.filter((line) => line.includes('xxxxxxxx'))).toEqual([]);
  });

  it('is written down at most so often a minute; the power to end and to hold is never rationed', async () => {
    const slow = await startBroker({ config: { limits: { perWorkloadPerMinute: 2 } } });
    const [eager, calm] = [await slow.identity('agent-7'), await slow.identity('soc')];
    const asked = [`/tasks/x`, `/revocations`, `/audit`, '/credentials/x'];
    for (const path of [...asked, ...asked]) await slow.get(path, eager);
    for (const path of asked) expectProblem(await slow.get(path, eager), 429, 'slow_down');
    expectProblem(await slow.post('/tasks', {}, eager), 429, 'slow_down');
    // An API gets its answer however often it asks: whoever floods it with dead tokens must not shut it.
    expect(await slow.introspect('x', eager)).toMatchObject({ status: 200, body: { active: false } });
    const never = [
      await slow.post('/tasks/x/complete', { outcome: 'completed' }, eager),
      await slow.post('/tasks/x/suspend', {}, eager),
      await slow.post('/revocations', { selector: { kind: 'all' }, reason: 'r' }, eager),
      await slow.remove('/revocations/1', eager),
      await slow.form('/revoke', { token: 'x' }, { authorization: `Bearer ${eager}` }),
    ];
    expect(never.map(({ status }) => status)).toEqual([404, 404, 403, 403, 200]);
    const { lines } = (await slow.get('/audit?limit=1000', calm)).body as Page;
    expect(lines.filter((line) => line.includes('operation.refused'))).toHaveLength(6);
  });
});

function bytesOf(lines: string[]): Buffer[] {
  return lines.map((line) => Buffer.from(line));
}

describe('whose request it was', () => {
  const HERE = '127.0.0.1';
  const JWT = 'urn:ietf:params:oauth:token-type:jwt';
  let sent = 0;
  /** Sends a request under an id of its own, and returns what the audit log has by that id. */
  async function entered(send: (headers: Record<string, string>) => Promise<unknown>, more = {}, of = broker) {
    const id = `asked-${(sent += 1)}`;
    // A new minute: of what one caller is refused, or reads, a minute has ten lines.
    await of.work('refusals');
    await of.work('refusals');
    await send({ 'x-request-id': id, ...more });
    const { body } = await of.get(`/audit?requestId=${id}`, await of.identity('soc'));
    return (body as Page).lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  it('is said by every entry that a request makes, and they are found by its id', async () => {
    const orchestrator = await broker.identity('orchestrator');
    const opened = await broker.post('/tasks', { workload: 'lab:agent-7', purpose: 'x' }, orchestrator);
    const { id } = opened.body as { id: string };
    const { access_token: token } = (await broker.exchange(agent)).body as { access_token: string };
    const selector = { kind: 'workload', value: 'lab:nobody' };
    const post = (path: string, body: object, by: string) => (headers: Record<string, string>) =>
      broker.post(path, body, by, headers);
    const api = { authorization: `Bearer ${await broker.identity('tickets-api')}` };
    const rows: [string, (headers: Record<string, string>) => Promise<unknown>][] = [
      ['task.opened', post('/tasks', { workload: 'lab:agent-7', purpose: 'x' }, orchestrator)],
      ['credential.granted', (headers) => broker.exchange(agent, {}, headers)],
      ['credential.refused', (headers) => broker.exchange(agent, { scope: 'incident/4711:write' }, headers)],
      ['operation.refused', post('/revocations', { selector, reason: 'x' }, agent)],
      ['introspection.inactive', (headers) => broker.form('/introspect', { token: 'x' }, { ...api, ...headers })],
      ['revocation.published', post(`/tasks/${id}/suspend`, {}, orchestrator)],
      ['revocation.published', post(`/tasks/${id}/resume`, {}, orchestrator)],
      ['revocation.published', post(`/tasks/${id}/complete`, { outcome: 'completed' }, orchestrator)],
      [
        'revocation.published',
        (headers) => broker.form('/revoke', { token }, { authorization: `Bearer ${agent}`, ...headers }),
      ],
      ['revocation.previewed', post('/revocations', { selector, reason: 'x', dryRun: true }, soc)],
      ['revocation.published', post('/revocations', { selector, reason: 'x', unseen: true }, soc)],
      ['signal.muted', post('/signals/mutes', { source: 'detector' }, soc)],
      ['audit.read', (headers) => broker.get('/audit', soc, headers)],
    ];
    for (const [type, send] of rows) {
      const found = await entered(send);
      expect({ type, found }).toEqual({ type, found: [expect.objectContaining({ type, address: HERE })] });
    }
    const { revocations } = (await broker.get('/revocations', soc)).body as { revocations: { seq: number }[] };
    const lift = (headers: Record<string, string>) =>
      broker.send(`/revocations/${revocations.at(-1)?.seq ?? 0}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${soc}`, ...headers },
      });
    expect(await entered(lift)).toMatchObject([{ revocation: { effect: 'lift' }, address: HERE }]);
  });

  it('is in a timeline of its own', async () => {
    const headers = { 'x-request-id': 'one-request' };
    await broker.exchange(agent, {}, headers);
    await broker.exchange(agent);
    const { body } = await broker.get('/timeline?requestId=one-request', soc);
    expect(body).toMatchObject({ entries: [{ type: 'credential.granted' }] });
    expectProblem(await broker.get(`/timeline?requestId=x&task=${task}`, soc), 400, 'invalid_request', /exactly one/);
  });

  it('is what a proxy says that is trusted, from the right, and what nobody else says', async () => {
    const behind = await startBroker({ config: { trustProxy: ['127.0.0.0/8', '10.0.0.0/8'] } });
    const asked = await behind.identity('agent-7');
    const addressOf = async (forwarded: string, of = behind, by = asked) => {
      const send = (headers: Record<string, string>) => of.exchange(by, {}, headers);
      const [entry] = await entered(send, { 'x-forwarded-for': forwarded }, of);
      return entry?.['address'];
    };
    const rows: [string, string | undefined][] = [
      ['203.0.113.9', '203.0.113.9'],
      ['2001:db8::9', '2001:db8::9'],
      ['::ffff:203.0.113.9', '203.0.113.9'],
      ['6.6.6.6, 203.0.113.9', '203.0.113.9'],
      ['6.6.6.6, 203.0.113.9, 10.1.1.1', '203.0.113.9'],
      ['<script>', undefined],
      ['203.0.113.9:4711', undefined],
      [`fe80::9%${'z'.repeat(4_000)}`, 'fe80::9'],
    ];
    for (const [forwarded, address] of rows)
      expect({ forwarded, address: await addressOf(forwarded) }).toEqual({ forwarded, address });
    expect(await addressOf('203.0.113.9', broker, agent)).toBe(HERE);
  });

  it('of a person who is served is that of the workload that asks', async () => {
    const send = async (headers: Record<string, string>) =>
      broker.exchange(await broker.person('ada'), { actor_token: agent, actor_token_type: JWT }, headers);
    expect(await entered(send)).toMatchObject([{ actor: { id: 'lab:agent-7' }, address: HERE }]);
  });
});
