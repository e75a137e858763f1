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
      decision: { outcome: 'permit', policies: expect.arrayContaining(['sre-agents-read-incidents']) },
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
