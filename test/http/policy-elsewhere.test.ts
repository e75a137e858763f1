/** A whole broker whose policy is decided in another process, with the exact answers that its callers get. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { calls, type Reply } from '../support/calls.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';
import { follow } from '../support/feed-reader.js';
import { serve, json, bodyOf, type EvaluationRequest } from '../support/policy-engines/decision-point.js';
import { describeWithOpa, sharedOpa, WHICH_OPA } from '../support/policy-engines/opa.js';
import { readFileSync } from 'node:fs';

type Respond = (request: EvaluationRequest) => { decision: boolean; context?: object } | undefined;

let broker: TestBroker;
/** What the engine does with a question; undefined: it breaks the connection. */
let respond: Respond;
let asked: EvaluationRequest[];

const permit: Respond = () => ({ decision: true, context: { policies: ['all'], digest: 'v1' } });

beforeEach(async () => {
  [respond, asked] = [permit, []];
  const { url } = await serve((request, response) => {
    if (request.method === 'GET') return void response.writeHead(404).end();
    void bodyOf(request).then((body) => {
      asked.push(body as EvaluationRequest);
      const answer = respond(body as EvaluationRequest);
      if (answer) json(response, answer);
      else response.destroy();
    });
  });
  broker = await startBroker({ config: { policy: { engine: 'authzen', url } } });
});

const exchange = async (wish = {}): Promise<Reply> => broker.exchange(await broker.identity('agent-7'), wish);
const silent = () => (respond = () => undefined);
const access = (context: object, decision = true): Respond => (request) =>
  request.resource.type === 'resource' ? { decision, context } : { decision: true }; // prettier-ignore

interface Line {
  type: string;
  reason?: string;
  installed?: string;
  decision?: { outcome: string; policies: string[]; digest: string };
}

async function audited(type: string): Promise<Line[]> {
  respond = permit;
  const { body } = await broker.get(`/audit?type=${type}&limit=1000`, await broker.identity('soc'));
  return (body as { lines: string[] }).lines.map((line) => JSON.parse(line) as Line);
}

describe('An engine elsewhere', () => {
  it('permits, for as long as it says, and stands in the audit log with what it is called', async () => {
    respond = access({ lifetimeSeconds: 60, policies: ['incidents-for-a-minute'], digest: 'v1' });
    expect((await exchange()).body).toMatchObject({ expires_in: 60 });
    const question = asked.find(({ resource }) => resource.type === 'resource');
    expect(question).toMatchObject({
      subject: { type: 'workload', id: 'lab:agent-7', properties: { owner: 'sre', claims: { team: 'sre' } } },
      action: { name: 'read' },
      resource: { id: `${TICKETS}#incident/4711`, properties: { pattern: false, sensitivity: [] } },
      context: { purpose: 'summarise incident 4711', purposeFrom: 'agent', risk: 'LOW', lifetimeSeconds: 300 },
    });
    // The audit log has its entry of what came into force once the job has run.
    await broker.work('policies');
    const granted = await audited('credential.granted');
    expect(granted.at(-1)?.decision?.policies).toEqual(['incidents-for-a-minute']);
    const loaded = await audited('policy.loaded');
    expect(loaded.at(-1)).toMatchObject({ reason: 'digest=v1', installed: granted.at(-1)?.decision?.digest });
  });

  it('refuses by name, and says nothing of what it keeps for itself', async () => {
    respond = access({ policies: ['night-shift'] }, false);
    expectOAuthRefusal(await exchange(), 400, 'access_denied', "Policy forbids 'read' on incident/4711, by 'night-shift'.");
    respond = access({ policies: ['tripwire'], reveal: false }, false);
    expectOAuthRefusal(await exchange(), 400, 'access_denied', "No policy permits 'read' on incident/4711.");
    expect((await audited('credential.refused')).map(({ decision }) => decision?.policies)).toEqual([['night-shift'], ['tripwire']]);
  }); // prettier-ignore

  it('asks for an approval', async () => {
    respond = access({ approvals: ['sre-oncall'] }, false);
    const reply = await exchange();
    expectOAuthRefusal(reply, 400, 'access_denied', 'People must agree to this first, and they are asked.');
    expect(reply.body).toMatchObject({ retry: 'after-approval' });
  });

  it('is not asked about patterns unless it knows them', async () => {
    const reply = await exchange({ scope: 'incident/*:read' });
    expectOAuthRefusal(reply, 400, 'access_denied', "No policy permits 'read' on incident/*.");
    expect(asked.filter(({ resource }) => resource.type === 'resource')).toEqual([]);
  });

  it('that changes its policies is in force at once, and entered within the next look', async () => {
    respond = access({ digest: 'v2' });
    await exchange();
    for (let looks = 0; looks < 2; looks += 1) await broker.work('policies');
    const operations = calls(broker.operationsUrl);
    const { policies } = (await operations.get('/health/ready')).body as { policies: string };
    const loaded = await audited('policy.loaded');
    expect(loaded.find(({ reason }) => reason === 'digest=v2')?.installed).toBeDefined();
    expect(loaded.map(({ installed }) => installed)).toContain(policies);
  });
});

describe('An engine that is silent', () => {
  it('grants nothing, and its callers are told to come again', async () => {
    const { access_token: token } = (await exchange()).body as { access_token: string };
    silent();
    const reply = await exchange();
    expectOAuthRefusal(reply, 503, 'temporarily_unavailable', 'Policy cannot be asked now.');
    expect(reply.headers.get('retry-after')).toBe('2');
    expect(reply.body).toMatchObject({ retry: 'later' });
    const revoke = { selector: { kind: 'workload', value: 'lab:agent-7' }, reason: 'test', unseen: true };
    expect((await broker.post('/revocations', revoke, await broker.identity('soc'))).status).toBe(503);
    // An API that hears "inactive" would have its callers throw their credentials away.
    const api = await broker.identity('tickets-api');
    expect((await broker.introspect(token, api)).status).toBe(503);
    const use = {
      subject: { type: 'credential', id: token },
      action: { name: 'read' },
      resource: { type: TICKETS, id: 'incident/4711' },
    };
    expect((await broker.post('/access/v1/evaluation', use, api)).status).toBe(503);
    // Nobody has decided, so nothing was denied.
    expect(await audited('credential.refused')).toEqual([]);
    expect(await audited('operation.refused')).toEqual([]);
    const { text } = await calls(broker.operationsUrl).get('/metrics');
    expect(text).toMatch(/^mayfly_policy_unanswered_total\{reason="unreachable"\} [1-9]/m);
    expect(text).toContain('mayfly_policy_unanswered_total{reason="timeout"} 0');
    expect(text).toMatch(/^mayfly_exchanges_total\{result="failed"\} 1$/m);
    expect(broker.logged()).toContain('The policy engine cannot be reached: UND_ERR_SOCKET.');
  });

  it('makes the broker unready after two looks, and ready again after two', async () => {
    const operations = calls(broker.operationsUrl);
    const ready = async () => {
      await broker.work('policies');
      await broker.work('sweep');
      const { status, body } = await operations.get('/health/ready');
      const { checks } = body as { checks: { name: string; ok: boolean; reason?: string }[] };
      return [status, checks.find(({ name }) => name === 'policy')?.reason];
    };
    await ready();
    expect(await ready()).toEqual([200, undefined]);
    silent();
    await exchange();
    await ready();
    expect(await ready()).toEqual([503, expect.stringMatching(/^http:\S+: The policy engine cannot be reached: UND_ERR_SOCKET\.$/)]);
    expect(broker.logged().match(/the policy engine does not answer: nothing is decided/g)).toHaveLength(1);
    respond = permit;
    await ready();
    expect(await ready()).toEqual([200, undefined]);
  }); // prettier-ignore

  it('leaves verifiers their feed; only its "no" ends a stream', async () => {
    const reader = await follow({ url: broker.url, bearer: await broker.identity('verifier') });
    await reader.hears('heartbeat');
    silent();
    const [before, heard] = [asked.length, reader.heard.length];
    await broker.advance(30_000);
    await broker.work('feed');
    expect(asked.length).toBeGreaterThan(before);
    await broker.work('feed');
    await reader.hears('heartbeat', heard);
    expect(reader.heard.some(({ event }) => event === 'end')).toBe(false);
    respond = () => ({ decision: false });
    await broker.advance(30_000);
    await broker.work('feed');
    expect(await reader.hears('end')).toEqual({ reason: 'refused' });
  });

  it('keeps no broker from starting: it is unready until the engine answers', async () => {
    silent();
    const second = await broker.again();
    const operations = calls(second.operationsUrl);
    const policy = async () => {
      const { body } = await operations.get('/health/ready');
      return (body as { checks: { name: string; ok: boolean }[] }).checks.find(({ name }) => name === 'policy')?.ok;
    };
    expect(await policy()).toBe(false);
    expect((await second.exchange(await second.identity('agent-7'))).status).toBe(503);
    respond = permit;
    expect((await second.exchange(await second.identity('agent-7'))).status).toBe(200);
    expect(await policy()).toBe(true);
  });
});

describeWithOpa(`With ${WHICH_OPA}`, () => {
  it('a broker grants what config/policies/example.rego permits', async () => {
    const { url, put } = await sharedOpa();
    await put('mayfly-example', readFileSync('config/policies/example.rego', 'utf8'));
    const policy = { engine: 'opa', url, path: 'mayfly/answer', patterns: 'ask' };
    const real = await startBroker({ config: { policy } });
    const agent = await real.identity('agent-7');
    expect((await real.exchange(agent)).body).toMatchObject({ expires_in: 300 });
    const restricted = await real.exchange(agent, { scope: 'incident/1/attachment/a:read' });
    expect(restricted.body).toMatchObject({ expires_in: 60 });
    expect((await real.exchange(agent, { scope: 'incident/*:read' })).status).toBe(200);
    expectOAuthRefusal(
      await real.exchange(agent, { scope: 'payroll/1:read' }),
      400,
      'access_denied',
      "No policy permits 'read' on payroll/1.",
    );
    expect((await real.exchange(agent, { scope: 'incident/1:export' })).body).toMatchObject({
      error: 'access_denied',
      retry: 'after-approval',
    });
  });
});
