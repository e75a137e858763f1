/**
 * GET /aws/credentials/{role} by a credential of the broker's own: whoever was given a token for this very endpoint fetches
 * sessions with it, under its task, and they die with it.
 */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BUCKET, details, OTHER_ROLE, ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';
import type { Reply } from '../support/calls.js';

interface Token {
  access_token: string;
  task_id: string;
}

let broker: AwsBroker;
let agent: string;
beforeAll(async () => (broker = await startAwsBroker()));
beforeEach(async () => void (agent = await broker.identity('agent-7')));

/** A token of agent-7 for the endpoint, for ROLE. */
const tokenFor = async (wish: Record<string, string | undefined> = {}): Promise<Token> => {
  const endpoint = { resource: `${broker.url}/aws/credentials`, scope: `${ROLE}:execute` };
  const { status, body, text } = await broker.exchange(agent, { ...endpoint, ...wish });
  if (status !== 200) throw new Error(`not granted: ${text}`);
  return body as Token;
};
const ask = (token: string, query: Record<string, string> = {}, role: string = ROLE): Promise<Reply> => {
  const asked = { authorization_details: details(`${BUCKET}/tenant-42/*`, undefined, role), ...query };
  const path = `/aws/credentials/${encodeURIComponent(role)}?${String(new URLSearchParams(asked))}`;
  return broker.send(path, { headers: { authorization: token } });
};
const keysOf = ({ status, body, text }: Reply) => {
  if (status !== 200) throw new Error(`not granted: ${text}`);
  const { AccessKeyId, Expiration } = body as Record<'AccessKeyId' | 'Expiration', string>;
  return { key: AccessKeyId, secondsLeft: (Date.parse(Expiration) - broker.clock.now()) / 1_000 };
};
const sessionOf = (key: string) => broker.aws.sessions().find(({ id }) => id === key);
const giveBack = (token: string) => broker.form('/revoke', { token }, { authorization: `Bearer ${agent}` });

/** Expects a refusal, and that AWS was not asked. */
async function expectRefused(ask: () => Promise<Reply>, status: number, code: string, message: RegExp): Promise<void> {
  const asked = broker.aws.calls('AssumeRoleWithWebIdentity');
  const reply = await ask();
  expect(reply.body).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(reply.status).toBe(status);
  expect(broker.aws.calls('AssumeRoleWithWebIdentity')).toBe(asked);
}

describe('a session by such a token', () => {
  it('is of the task of the token, which need not be named, and may be', async () => {
    const { access_token, task_id } = await tokenFor();
    for (const query of [{}, { task: task_id }]) {
      const { key } = keysOf(await ask(access_token, query));
      expect(sessionOf(key)?.tags['jt']).toBe(task_id.replace('tsk_', ''));
    }
  });

  it('never outlives the token, whatever lifetime is asked for', async () => {
    const { access_token } = await tokenFor({ lifetime: '120' });
    await broker.pass(60);
    const { key, secondsLeft } = keysOf(await ask(access_token, { lifetime: '3600' }));
    expect(secondsLeft).toBe(60);
    await broker.pass(59);
    expect(broker.reads(key)).toBe(true);
    await broker.pass(1);
    expect(broker.reads(key)).toBe(false);
    await expectRefused(() => ask(access_token), 401, 'invalid_token', /bearer token/);
  });

  it('is denied when the token is given back, and none is had with it again', async () => {
    const { access_token } = await tokenFor({ lifetime: '900' });
    const { key } = keysOf(await ask(access_token));
    const sibling = (await broker.mint('agent-7')).accessKeyId;
    expect((await giveBack(access_token)).status).toBe(200);
    await expectRefused(() => ask(access_token), 401, 'invalid_token', /has been revoked/);
    await broker.pass(6);
    expect([broker.reads(key), broker.reads(sibling)]).toEqual([false, true]);
  });

  it('is denied when the target of the token, this endpoint, is cut off; the role of others lives', async () => {
    const { access_token } = await tokenFor({ lifetime: '900' });
    const { key } = keysOf(await ask(access_token));
    const sibling = (await broker.mint('agent-7')).accessKeyId;
    const selector = { kind: 'target', value: `${broker.url}/aws/credentials` };
    const wish = { selector, effect: 'cutoff', reason: 'stolen' };
    await broker.post('/revocations', wish, await broker.identity('soc'));
    await broker.pass(6);
    expect([broker.reads(key), broker.reads(sibling)]).toEqual([false, true]);
  });

  it('is denied with the login session that the token came from, though the task is of another', async () => {
    const jwt = 'urn:ietf:params:oauth:token-type:jwt';
    const loggedIn = async (sid: string) => ({
      ...{ subject_token: await broker.person('ada', { sid }), actor_token: agent, actor_token_type: jwt },
    });
    const first = await tokenFor({ lifetime: '900', ...(await loggedIn('s-1')) });
    const under = { purpose: undefined, task_id: first.task_id };
    const second = await tokenFor({ lifetime: '900', ...under, ...(await loggedIn('s-2')) });
    const keys = [keysOf(await ask(first.access_token)).key, keysOf(await ask(second.access_token)).key];
    const selector = { kind: 'session', value: 'staff:s-2' };
    await broker.post('/revocations', { selector, reason: 'logged out' }, await broker.identity('soc'));
    await broker.pass(6);
    expect(keys.map((key) => broker.reads(key))).toEqual([true, false]);
  });

  it('names the selectors that it hangs on: the token is among it', async () => {
    const { access_token } = await tokenFor();
    const { key } = keysOf(await ask(access_token));
    const { body } = await broker.get(`/credentials/${key}`, await broker.identity('soc'));
    const { jti } = JSON.parse(atob(access_token.split('.')[1] ?? '')) as { jti: string };
    expect(body).toHaveProperty('causes', expect.arrayContaining([{ kind: 'credential', value: jti }]));
  });
});

describe('what such a token is no proof for', () => {
  it('another role', async () => {
    const { access_token } = await tokenFor();
    await expectRefused(() => ask(access_token, {}, OTHER_ROLE), 403, 'access_denied', /not granted for that target/);
  });

  it('another task, of the same workload or not, and a new one', async () => {
    const { access_token } = await tokenFor();
    for (const task of [await broker.open('agent-7'), await broker.open('agent-8')])
      await expectRefused(() => ask(access_token, { task }), 400, 'invalid_grant', /No open task/);
    await expectRefused(() => ask(access_token, { purpose: 'more' }), 400, 'invalid_grant', /No open task/);
  });

  it('anything after its task has ended', async () => {
    const { access_token, task_id } = await tokenFor();
    await broker.complete(task_id);
    await expectRefused(() => ask(access_token), 400, 'invalid_grant', /has ended/);
  });

  it('a session that policy does not permit', async () => {
    const { access_token } = await tokenFor();
    const secrets = { authorization_details: details(`${BUCKET}/secrets/key`) };
    await expectRefused(() => ask(access_token, secrets), 403, 'access_denied', /Policy forbids .*, by "no-secrets"/);
  });

  it('a token at /token: it begets nothing there', async () => {
    const { access_token } = await tokenFor();
    expect((await broker.exchange(access_token)).status).toBe(400);
  });
});
