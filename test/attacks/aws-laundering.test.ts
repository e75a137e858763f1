/** A credential for one thing must not become AWS keys by asking at the container endpoint. */
import { beforeAll, beforeEach, expect, it } from '@jest/globals';
import { BUCKET, details, OTHER_ROLE, ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';
import { forgeToken } from '../support/issuers/issuer.js';

let broker: AwsBroker;
let agent: string;
let calls: number;
beforeAll(async () => {
  const policies = `@id("lab-reads-all") permit (principal in Issuer::"lab", action == Action::"read", resource);`;
  broker = await startAwsBroker({ policies });
});
beforeEach(async () => {
  agent = await broker.identity('agent-7');
  calls = broker.aws.calls('AssumeRoleWithWebIdentity');
});

const tokenFor = async (resource: string, scope: string): Promise<string> => {
  const { body, status, text } = await broker.exchange(agent, { resource, scope });
  if (status !== 200) throw new Error(`not granted: ${text}`);
  return (body as { access_token: string }).access_token;
};
const endpoint = () => `${broker.url}/aws/credentials`;
const ask = (authorization: string, role: string = ROLE) => {
  const query = new URLSearchParams({ authorization_details: details(`${BUCKET}/a`, undefined, role) });
  return broker.send(`/aws/credentials/${encodeURIComponent(role)}?${String(query)}`, { headers: { authorization } });
};
const refused = async (authorization: string, role?: string) => {
  const { status, body, text } = await ask(authorization, role);
  expect(text).not.toContain('ASIA');
  expect(broker.aws.calls('AssumeRoleWithWebIdentity')).toBe(calls);
  return [status, (body as { code: string }).code];
};

it('a token for an API is none here, even with the very scope it would need', async () => {
  const api = 'https://tickets.example';
  expect(await refused(await tokenFor(api, `${ROLE}:execute`))).toEqual([401, 'invalid_token']);
  expect(await refused(await tokenFor(api, 'incident/4711:read'))).toEqual([401, 'invalid_token']);
});

it('a token for this endpoint is none for another role, another action, or a path that merely looks like the role', async () => {
  for (const scope of [`${OTHER_ROLE}:execute`, `${ROLE}:read`, `${ROLE}/x:execute`, 'role/jit/agent-0:execute'])
    expect(await refused(await tokenFor(endpoint(), scope))).toEqual([403, 'access_denied']);
  expect((await ask(await tokenFor(endpoint(), `${ROLE}:execute`))).status).toBe(200);
});

it('a token that was changed to name this endpoint, and one without a signature, are none at all', async () => {
  const token = await tokenFor('https://tickets.example', `${ROLE}:execute`);
  const [head = '', payload = '', signature = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  const changed = { ...claims, aud: endpoint() };
  const again = Buffer.from(JSON.stringify(changed)).toString('base64url');
  expect(await refused(`${head}.${again}.${signature}`)).toEqual([401, 'invalid_token']);
  expect(await refused(forgeToken({ alg: 'none', typ: 'at+jwt' }, changed, () => ''))).toEqual([401, 'invalid_token']);
});

it('the keys of a session are no proof of anything here', async () => {
  const keys = await broker.mint('agent-7');
  calls = broker.aws.calls('AssumeRoleWithWebIdentity');
  for (const text of [keys.sessionToken, keys.secretAccessKey, keys.accessKeyId])
    expect(await refused(text)).toEqual([401, 'invalid_token']);
});

it('a token that begets no more of its kind: with it neither /token nor /tasks gives anything', async () => {
  const token = await tokenFor(endpoint(), `${ROLE}:execute`);
  expect((await broker.exchange(token, { resource: endpoint(), scope: `${ROLE}:execute` })).status).toBe(400);
  expect((await broker.session('agent-7', { subject_token: token })).status).toBe(400);
  expect((await broker.post('/tasks', { workload: 'lab:agent-7', purpose: 'x' }, token)).status).toBe(401);
});

it('a workload that is held gets nothing with a token it had before', async () => {
  const victim = await broker.identity('victim');
  const { body } = await broker.exchange(victim, { resource: endpoint(), scope: `${ROLE}:execute` });
  const { access_token: token } = body as { access_token: string };
  const selector = { kind: 'workload', value: 'lab:victim' };
  await broker.post('/revocations', { selector, reason: 'stolen' }, await broker.identity('soc'));
  const [status] = await refused(token);
  expect([401, 403]).toContain(status);
});
