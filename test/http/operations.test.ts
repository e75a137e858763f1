/** The operations listener: alive, ready, and what is counted. */
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ROLE, startAwsBroker } from '../support/brokers/http-aws.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { calls, type Calls } from '../support/calls.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';
import { writePolicies } from '../support/policy.js';
import { serveIssuer } from '../support/issuers/site.js';
import { ROUTES } from '../support/contracts.js';

let broker: TestBroker;
let operations: Calls;

interface Ready {
  status: string;
  checks: { name: string; ok: boolean; reason?: string; degrades?: true }[];
}

beforeEach(async () => {
  broker = await startBroker();
  operations = calls(broker.operationsUrl);
});

const failing = async () => {
  const { status, body } = await operations.get('/health/ready');
  const { checks } = body as Ready;
  return { status, names: checks.filter(({ ok }) => !ok).map(({ name }) => name) };
};

describe('/health', () => {
  it('is live as long as it answers', async () => {
    expect(await operations.get('/health/live')).toMatchObject({ status: 200, body: { status: 'live' } });
  });

  it('is ready, check by check', async () => {
    const { status, headers, body } = await operations.get('/health/ready');
    expect([status, (body as Ready).status]).toEqual([200, 'ready']);
    expect(headers.get('cache-control')).toBe('no-store');
    expect((body as Ready).checks.map(({ name }) => name)).toEqual([
      'store',
      'clock',
      'space',
      'write',
      'policy',
      'sweep',
      'audit',
      'running',
      'targets',
      'issuers',
      'policy-files',
      'policy-agreement',
      'webhooks',
    ]);
  });

  it('has an alert for each check: a page, or a ticket where the broker is only degraded', async () => {
    const { checks } = (await operations.get('/health/ready')).body as Ready;
    const degrading = checks.filter(({ degrades }) => degrades).map(({ name }) => name);
    const alerts = readFileSync('docs/alerts.yml', 'utf8');
    const listed = (operator: string) => alerts.split(`check${operator}"`)[1]?.split('"')[0]?.split('|').toSorted();
    expect(listed('=~')).toEqual(degrading.toSorted());
    expect(listed('!~')).toEqual([...degrading, 'running'].toSorted());
  });

  it('is degraded while nobody writes the bundle file of a trust domain, and says since when', async () => {
    const file = join(temporaryDirectory(), 'prod.json');
    writeFileSync(file, JSON.stringify({ keys: [] }));
    const writtenAt = (ms: number) => utimesSync(file, ms / 1000, ms / 1000);
    const clock = handClock();
    writtenAt(clock.now() - 2 * 86_400_000);
    const trust = [{ kind: 'spiffe', name: 'prod', trustDomain: 'prod.example', bundle: { file } }];
    const watching = await startBroker({ trust, clock });
    operations = calls(watching.operationsUrl);
    await watching.work('issuers');
    expect(await failing()).toEqual({ status: 200, names: ['issuers'] });
    await watching.work('fitness');
    expect(watching.logged()).toContain('issuer prod: the file was last written at 2029-12-30T00:00:00.000Z');
    writtenAt(clock.now());
    await watching.work('issuers');
    expect(await failing()).toEqual({ status: 200, names: [] });
  });

  it('is degraded while the keys of an issuer cannot be read, or it names itself otherwise, before anybody calls', async () => {
    const clock = handClock();
    const site = await serveIssuer({ clock });
    const jwks = { url: `${site.url}/events` };
    const transmitter = { name: 'idp', issuer: 'https://idp.example', audience: 'a', jwks, about: ['lab'] };
    const config = { signals: { transmitters: [transmitter] } };
    const far = await startBroker({ clock, config, trust: [{ name: 'far', kind: 'oidc', issuer: site.url }] });
    operations = calls(far.operationsUrl);
    const after = async (ms: number) => {
      await far.advance(ms);
      await far.work('sweep');
      await far.work('issuers');
      const { checks } = (await operations.get('/health/ready')).body as Ready;
      return checks.flatMap(({ ok, name, reason }) => (ok ? [] : [`${name}: ${reason}`]));
    };
    site.metadata = { issuer: `${site.url}/` };
    const misfit = `names the issuer '${site.url}/', and the configuration names '${site.url}'`;
    expect(await after(0)).toEqual([`issuers: issuer far: ${site.url}/.well-known/openid-configuration: ${misfit}`]);
    site.metadata = {};
    expect(await after(5_000)).toEqual([]);
    site.behaviour = 'failing';
    const down = /^issuers: issuer far: http:.* answered 500; transmitter idp: http:.*\/events answered 500$/;
    expect(await after(600_000)).toEqual([expect.stringMatching(down)]);
    const token = await site.token({ aud: far.url, team: 'sre' });
    expect((await far.exchange(token)).status).not.toBe(503);
    site.behaviour = 'well';
    expect(await after(5_000)).toEqual([]);
    await site.close();
  });

  it('is not ready once the sweep is ten seconds behind, and again when it has run', async () => {
    await broker.advance(9_999);
    expect(await failing()).toEqual({ status: 200, names: [] });
    await broker.advance(1);
    expect(await failing()).toEqual({ status: 503, names: ['sweep'] });
    await broker.work('sweep');
    expect(await failing()).toEqual({ status: 200, names: [] });
  });

  it('has the digest of the policies, and is degraded while the files have a mistake', async () => {
    const directory = writePolicies({ 'a.cedar': '@id("a") permit (principal, action, resource);' });
    broker = await startBroker({ config: { policy: { engine: 'cedar', directory } } });
    operations = calls(broker.operationsUrl);
    const digest = async () => ((await operations.get('/health/ready')).body as { policies: string }).policies;
    const before = await digest();
    expect((await operations.get('/metrics')).text).toContain(`mayfly_policy_info{digest="${before}"} 1`);
    const take = async (text: string) => {
      writePolicies({ 'a.cedar': text }, directory);
      for (let looks = 0; looks < 2; looks += 1) await broker.work('policies');
    };
    await take('permit (principal, action, resource);');
    const { status, body } = await operations.get('/health/ready');
    expect([status, (body as Ready).status, await digest()]).toEqual([200, 'degraded', before]);
    expect((body as Ready).checks.find(({ name }) => name === 'policy-files')).toEqual({
      name: 'policy-files',
      ok: false,
      degrades: true,
      reason: `the policies of before stay in force: ${directory}/a.cedar:1: has no @id`,
    });
    expect(broker.logged()).toContain('the policies have mistakes; those in force stay');
    await take('@id("b") permit (principal, action, resource);');
    expect(await failing()).toEqual({ status: 200, names: [] });
    expect(await digest()).not.toBe(before);
    const { text } = await operations.get('/metrics');
    expect(text.match(/^mayfly_policy_info\{.*$/gm)).toEqual([`mayfly_policy_info{digest="${await digest()}"} 1`]);
  });

  it('is not on the public listener, nor the API on this one', async () => {
    for (const path of ['/health/live', '/health/ready', '/metrics']) expect((await broker.get(path)).status).toBe(404);
    expect((await operations.get('/jwks')).status).toBe(404);
  });
});

describe('minting', () => {
  it('stops when nobody has looked at the store for five seconds, and says so with Retry-After', async () => {
    broker.clock.advance(5_001);
    const refused = await broker.exchange(await broker.identity('agent-7'));
    expectOAuthRefusal(refused, 503, 'temporarily_unavailable');
    expect(refused.headers.get('retry-after')).toBe('1');
    await broker.work('fitness');
    expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(200);
  });
});

describe('/metrics', () => {
  it('counts what happened, in the text that Prometheus reads', async () => {
    const agent = await broker.identity('agent-7');
    await broker.exchange(agent);
    await broker.exchange(agent, { scope: 'incident/1:write' });
    await broker.exchange('a.b.c');
    await broker.post('/revocations', { selector: { kind: 'all' }, reason: 'drill' }, await broker.identity('soc'));
    await broker.work('counts');
    const { headers, text } = await operations.get('/metrics');
    expect(headers.get('content-type')).toMatch('text/plain; version=0.0.4');
    const expected = [
      'mayfly_exchanges_total{result="granted"} 1',
      'mayfly_exchanges_total{result="refused"} 2',
      'mayfly_refusals_total{code="access_denied",endpoint="/token"} 1',
      'mayfly_identity_refused_total{reason="is not encoded as base64url"} 1',
      'mayfly_credentials_live 1',
      'mayfly_tasks_open 1',
      'mayfly_revocations_total{selector="all",effect="hold"} 1',
      'mayfly_http_seconds_count{endpoint="/token",status="200"} 1',
      'mayfly_readiness{check="sweep"}',
      'mayfly_store_seconds_count{operation="look"}',
      'mayfly_policy_seconds_count',
      'mayfly_audit_append_seconds_count',
      'mayfly_audit_waiting 0',
    ];
    expect(expected.filter((line) => !text.includes(line))).toEqual([]);
  });

  it('counts a failure where the configuration does not fit what an issuer says of itself', async () => {
    const clock = handClock();
    const site = await serveIssuer({ clock });
    site.metadata = { issuer: `${site.url}/` };
    const far = await startBroker({ clock, trust: [{ name: 'far', kind: 'oidc', issuer: site.url }] });
    expectOAuthRefusal(await far.exchange(await site.token({ aud: far.url })), 500, 'server_error');
    await site.close();
    expect((await calls(far.operationsUrl).get('/metrics')).text).toContain(
      'mayfly_exchanges_total{result="failed"} 1',
    );
    expect(far.logged()).toContain(`names the issuer '${site.url}/', and the configuration names '${site.url}'`);
  });

  it('counts no failure for what strangers forge, though the answer may be 503', async () => {
    const clock = handClock();
    const site = await serveIssuer({ clock });
    const far = await startBroker({ clock, trust: [{ name: 'far', kind: 'oidc', issuer: site.url }] });
    const aud = far.url;
    const forged = () => site.token({ aud, header: { kid: 'made-up' } });
    expectOAuthRefusal(await far.exchange(await forged()), 400, 'invalid_request');
    const unknown = await far.exchange(await forged());
    expectOAuthRefusal(unknown, 503, 'temporarily_unavailable');
    expect(unknown.headers.get('retry-after')).toBe('30');
    await site.close();
    const { text } = await calls(far.operationsUrl).get('/metrics');
    expect(text).toContain('mayfly_exchanges_total{result="refused"} 2');
    expect(text).not.toContain('mayfly_exchanges_total{result="failed"} 1');
    expect(far.logged()).not.toContain('"level":"warn"');
  });

  it('has every counter from the start, so that its first event is an increase', async () => {
    const notify = [{ name: 'siem', url: 'http://127.0.0.1:9' }];
    const { operationsUrl } = await startAwsBroker({ unfenced: true, config: { notify } });
    const { text } = await calls(operationsUrl).get('/metrics');
    const counters = [...text.matchAll(/^# TYPE (mayfly_\w+) counter$/gm)].map(([, name = '']) => name);
    expect(counters.length).toBeGreaterThan(8);
    const none = counters.filter((name) => !new RegExp(`^${name}[ {]`, 'm').test(text));
    expect(none).toEqual(['mayfly_identity_refused_total']); // Its reasons are sentences, which nobody can list.
    const expected = [
      'mayfly_exchanges_total{result="failed"} 0',
      'mayfly_refusals_total{code="server_error",endpoint="/tasks/:id"} 0',
      'mayfly_refusals_total{code="not_found",endpoint="unknown"} 0',
      'mayfly_revocations_total{selector="all",effect="hold"} 0',
      'mayfly_generation_changes_total 1', // The first start on an empty store.
      'mayfly_minter_warnings_total{what="deny-policy"} 0',
      `mayfly_target_writes_total{target="${ROLE}",result="drifted"} 0`,
      'mayfly_signals_total{source="detector",event="canary-used",put="new"} 0',
      'mayfly_signals_evaluated_total{reaction="none",state="recorded"} 0',
      'mayfly_webhook_deliveries_total{webhook="siem",result="dead"} 0',
    ];
    expect(expected.filter((line) => !text.includes(`${line}\n`))).toEqual([]);
  });

  it('says which version runs, which the public listener does not', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    const { text } = await operations.get('/metrics');
    expect(text).toContain(`mayfly_build_info{version="${version}",node="${process.version}"} 1`);
    for (const { path } of ROUTES) {
      const reply = await broker.get(path);
      expect([reply.text, ...reply.headers.values()].join('\n')).not.toContain(version);
    }
  });
});
