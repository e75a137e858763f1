/** GET /aws/credentials/{role}: what an AWS SDK asks of a container credential provider, by a workload's own identity token. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { BUCKET, details, OTHER_ROLE, ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';
import type { Reply } from '../support/calls.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { createIssuer, type TestIssuer } from '../support/issuers/issuer.js';

const CEILING = { access: JSON.parse(details(`${BUCKET}/tenant-42/*`)) as object[] };
const DETAILS = { authorization_details: details(`${BUCKET}/tenant-42/*`) };
/** The key is as long as one of AWS, and has plain letters only, as some of them do. */
const SECRET = 'wJalrXUtnFEMIaK7MDENGabPxRfiCYEXAMPLEKEY';
const CI_PERMITS = `
@id("ci-reads-tenants")
permit (principal in Issuer::"ci", action in [Action::"read", Action::"openTask", Action::"completeTask"], resource);
`;
const AT = `/aws/credentials/${encodeURIComponent(ROLE)}`;

let broker: AwsBroker;
/** Its tokens say which run they belong to. */
let ci: TestIssuer;
let agent: string;
let asked: number;
beforeAll(async () => {
  const clock = handClock();
  ci = await createIssuer({ clock, url: 'https://ci.example' });
  const file = join(temporaryDirectory(), 'ci.json');
  writeFileSync(file, JSON.stringify(ci.jwks()));
  broker = await startAwsBroker({
    clock,
    trust: [{ name: 'ci', kind: 'oidc', issuer: ci.url, jwks: { file }, run: 'run_id' }],
    policies: CI_PERMITS,
  });
  agent = await broker.identity('agent-7');
});

const ask = (query: Record<string, string> | string, authorization = agent, path = AT): Promise<Reply> =>
  broker.send(`${path}?${String(new URLSearchParams(query))}`, { headers: { authorization } });
const keyOf = ({ status, body, text }: Reply): string => {
  if (status !== 200) throw new Error(`not granted: ${text}`);
  return (body as { AccessKeyId: string }).AccessKeyId;
};
const taskTag = (accessKeyId: string) => broker.aws.sessions().find(({ id }) => id === accessKeyId)?.tags['jt'];
/** Jumps ahead. Afterwards the schedule has run and identity tokens are fresh. */
const later = async (seconds: number) => {
  await broker.advance(seconds * 1_000);
  await broker.pass(1);
  agent = await broker.identity('agent-7');
};
const calls = () => broker.aws.calls('AssumeRoleWithWebIdentity');

/** AWS SDKs show people the `code` and `message` of a refusal. */
function expectAwsRefusal(reply: Reply, status: number, code: string, message: RegExp): void {
  expect(reply.body).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(reply.status).toBe(status);
  expect(reply.headers.get('cache-control')).toBe('no-store');
  expect(reply.text).not.toMatch(/eyJ|ASIA/);
}

describe('the answer', () => {
  it('is what AWS SDKs take from a container, never cached, with the deadline as Expiration', async () => {
    const reply = await ask({ purpose: 'read', lifetime: '120', ...DETAILS });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.headers.get('content-type')).toMatch('application/json');
    expect(reply.body).toEqual({
      AccessKeyId: expect.stringMatching(/^ASIA/),
      SecretAccessKey: expect.any(String),
      Token: expect.any(String),
      Expiration: new Date(broker.clock.now() + 120_000).toISOString().replace('.000Z', 'Z'),
    });
  });

  it('lasts an hour where nothing is said, for SDKs ask again with a quarter of an hour left', async () => {
    const { body } = await ask({ purpose: 'read', ...DETAILS });
    expect(Date.parse((body as { Expiration: string }).Expiration)).toBe(broker.clock.now() + 3_600_000);
  });

  it('is the same for the token as it is and behind "Bearer", and for the role however its slashes are written', async () => {
    for (const token of [agent, `Bearer ${agent}`, `bearer  ${agent}`])
      expect((await ask({ purpose: 'read', ...DETAILS }, token)).status).toBe(200);
    for (const path of [`/aws/credentials/${ROLE}`, `/aws/credentials/${ROLE.replaceAll('/', '%2F')}`])
      expect((await ask({ purpose: 'read', ...DETAILS }, agent, path)).status).toBe(200);
  });
});

describe('?task=', () => {
  it('without details takes what the task was opened for, and no more', async () => {
    const task = await broker.open('agent-7', CEILING);
    const key = keyOf(await ask({ task }));
    expect(taskTag(key)).toBe(task.replace('tsk_', ''));
    expect([broker.reads(key), broker.reads(key, 'tenant-43/a.txt')]).toEqual([true, false]);
  });

  it('with details takes these, within what the task was opened for', async () => {
    const task = await broker.open('agent-7', CEILING);
    const key = keyOf(await ask({ task, authorization_details: details(`${BUCKET}/tenant-42/b.txt`) }));
    expect([broker.reads(key), broker.reads(key, 'tenant-42/b.txt')]).toEqual([false, true]);
    const wider = { task, authorization_details: details(`${BUCKET}/tenant-43/*`) };
    expectAwsRefusal(await ask(wider), 400, 'invalid_scope', /beyond what the task was opened for/);
  });

  it('takes nothing for a role the task was not opened for', async () => {
    const task = await broker.open('agent-7', CEILING);
    const elsewhere = `/aws/credentials/${encodeURIComponent(OTHER_ROLE)}`;
    expectAwsRefusal(await ask({ task }, agent, elsewhere), 400, 'invalid_request', /names no access/);
  });

  it('takes nothing where neither task nor caller says what for', async () => {
    const task = await broker.open('agent-7');
    expectAwsRefusal(await ask({ task }), 400, 'invalid_request', /names no access, .* Send authorization_details/);
  });

  it("of somebody else's task answers like one that does not exist", async () => {
    const task = await broker.open('agent-8', CEILING);
    const [theirs, none] = [await ask({ task }), await ask({ task: 'tsk_aabbbbbbbbbbbbbb' })];
    expectAwsRefusal(theirs, 400, 'invalid_grant', /No open task of this workload has that id/);
    expect(theirs.body).toEqual(none.body);
  });

  it('is refused once the task has ended', async () => {
    const task = await broker.open('agent-7', CEILING);
    keyOf(await ask({ task }));
    await broker.complete(task);
    expectAwsRefusal(await ask({ task }), 400, 'invalid_grant', /has ended: completed/);
  });
});

describe('?purpose=', () => {
  it('asked again returns to the task it opened, another one opens another', async () => {
    const first = keyOf(await ask({ purpose: 'once', ...DETAILS }));
    await later(60);
    const again = keyOf(await ask({ purpose: 'once', ...DETAILS }));
    expect(taskTag(again)).toBe(taskTag(first));
    expect(taskTag(keyOf(await ask({ purpose: 'other', ...DETAILS })))).not.toBe(taskTag(first));
    const agent8 = await broker.identity('agent-8');
    expect(taskTag(keyOf(await ask({ purpose: 'once', ...DETAILS }, agent8)))).not.toBe(taskTag(first));
  });

  it('opens no second task after the first was completed, until its deadline: an SDK that asks on is refused', async () => {
    const key = keyOf(await ask({ purpose: 'short', ...DETAILS }));
    await broker.complete(`tsk_${taskTag(key) ?? ''}`);
    expectAwsRefusal(await ask({ purpose: 'short', ...DETAILS }), 400, 'invalid_grant', /has ended/);
    await later(3_598);
    expectAwsRefusal(await ask({ purpose: 'short', ...DETAILS }), 400, 'invalid_grant', /has ended/);
    await broker.pass(1);
    expect(taskTag(keyOf(await ask({ purpose: 'short', ...DETAILS })))).not.toBe(taskTag(key));
  });
});

describe('of a run', () => {
  const byRun = (run_id: string) => ci.token({ sub: 'deploy', run_id, aud: broker.url });

  it('one purpose is one task, and the next run has another, also where that one was completed', async () => {
    const once = async (run: string) => ask({ purpose: 'once', ...DETAILS }, await byRun(run));
    const first = taskTag(keyOf(await once('1')));
    const twice = await ask({ purpose: 'once', ...DETAILS, lifetime: '120' }, await byRun('1'));
    expect(taskTag(keyOf(twice))).toBe(first);
    const done = await broker.post(`/tasks/tsk_${first}/complete`, { outcome: 'completed' }, await byRun('1'));
    expect(done.status).toBe(200);
    expectAwsRefusal(await once('1'), 400, 'invalid_grant', /has ended/);
    expect(taskTag(keyOf(await once('2')))).not.toBe(first);
  });
});

describe('what is refused before AWS is asked', () => {
  const both = { task: 'tsk_aabbbbbbbbbbbbbb', purpose: 'x' };
  it.each<[string, Record<string, string> | string, string, RegExp]>([
    ['task and purpose', both, 'invalid_request', /either purpose .* or task .*, not both/],
    ['neither', {}, 'invalid_request', /either purpose .* or task .*, not both/],
    ['an unknown parameter', { purpose: 'x', dryrun: '1' }, 'invalid_request', /no field of the name dryrun/],
    ['a parameter with a secret for a name', { purpose: 'x', [SECRET]: '1' }, 'invalid_request', /name that was sent/],
    ['a parameter twice', 'purpose=x&purpose=y', 'invalid_request', /written twice/],
    ['an empty purpose', { purpose: '' }, 'invalid_request', /purpose/],
    ['lifetime 0', { purpose: 'x', lifetime: '0' }, 'invalid_request', /lifetime/],
    ['a lifetime that is no number', { purpose: 'x', lifetime: '1h' }, 'invalid_request', /lifetime/],
    ['a lifetime below 30 s', { purpose: 'x', lifetime: '29', ...DETAILS }, 'invalid_request', /30 seconds or more/],
    ['no details', { purpose: 'x' }, 'invalid_request', /names no access/],
    ['details that are no JSON', { purpose: 'x', authorization_details: '{' }, 'invalid_authorization_details', /JSON/],
    [
      'a wildcard action',
      { purpose: 'x', authorization_details: details(`${BUCKET}/a`, ['s3:*']) },
      'invalid_authorization_details',
      /without wildcards/,
    ],
  ])('%s', async (_, query, code, message) => {
    asked = calls();
    expectAwsRefusal(await ask(query), 400, code, message);
    expect(calls()).toBe(asked);
  });

  it('a role that is none, the revoker, and an API', async () => {
    asked = calls();
    const [account] = ROLE.split('role/');
    for (const name of [`${account ?? ''}role/jit-revoker`, `${account ?? ''}role/x`, 'https://tickets.example']) {
      const query = { purpose: 'x', authorization_details: details(`${BUCKET}/a`, undefined, name) };
      const reply = await ask(query, agent, `/aws/credentials/${encodeURIComponent(name)}`);
      expect([400, 404]).toContain(reply.status);
      expect(reply.body).not.toHaveProperty('AccessKeyId');
    }
    const api = `/aws/credentials/${encodeURIComponent('https://tickets.example')}`;
    const query = { purpose: 'x', authorization_details: JSON.stringify([IN_TICKETS]) };
    expectAwsRefusal(await ask(query, agent, api), 400, 'invalid_request', /requested_token_type/);
    expect(calls()).toBe(asked);
  });

  it('who proves nothing, or with a token of somebody nobody trusts', async () => {
    expectAwsRefusal(await broker.send(`${AT}?purpose=x`, {}), 401, 'invalid_token', /Authorization header/);
    expectAwsRefusal(await ask({ purpose: 'x' }, ''), 401, 'invalid_token', /Authorization header/);
    const elsewhere = await broker.identity('agent-7', { aud: 'https://x.example' });
    for (const token of ['x', 'Bearer', `Basic ${agent}`, `${agent}x`, elsewhere])
      expectAwsRefusal(await ask({ purpose: 'x', ...DETAILS }, token), 401, 'invalid_token', /^The bearer token /);
  });

  it("a person's token: sessions are for workloads", async () => {
    const reply = await ask({ purpose: 'x', ...DETAILS }, await broker.person('ada'));
    expectAwsRefusal(reply, 400, 'invalid_request', /for workloads/);
  });
});

const IN_TICKETS = {
  ...{ type: 'task_access', locations: ['https://tickets.example'] },
  ...{ identifier: 'incident/4711', actions: ['read'] },
};
