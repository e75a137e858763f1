/** The end of AWS sessions, as callers see it (G8): never more than is true at AWS, from pending to effective, or expired. */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ROLE, startAwsBroker, type AwsBroker, type Minted } from '../support/brokers/http-aws.js';
import type { Reply } from '../support/calls.js';
import { expectProblem } from '../support/expect-refusal.js';

let broker: AwsBroker;
let soc: string;
beforeAll(async () => (broker = await startAwsBroker()));
beforeEach(async () => void (soc = await broker.identity('soc')));

const effectsIn = ({ body }: Reply) => (body as { effects: object[] }).effects;
const endOf = async (id: string) => ((await broker.get(`/credentials/${id}`, soc)).body as { end?: object }).end;
const giveBack = async (token: string, by = 'agent-7') =>
  broker.form('/revoke', { token }, { authorization: `Bearer ${await broker.identity(by)}` });
const revoke = (body: object) => broker.post('/revocations', { reason: 'test', ...body }, soc);
const asProcess = ({ accessKeyId, secretAccessKey, sessionToken }: Minted) =>
  JSON.stringify({
    Version: 1,
    ...{ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken },
  });
/** Returns whether the deny policy has ever contained it. */
const wasDenied = (id: string) => JSON.stringify(broker.aws.writes(ROLE)).includes(id.slice(4));

describe('completion of a task', () => {
  it('says what is left to happen at AWS, beside what is dead at once here', async () => {
    const { taskId } = await broker.mint('agent-7', { lifetime: '600' });
    const agent = await broker.identity('agent-7');
    const api = { resource: `${broker.url}/aws/credentials`, scope: `${ROLE}:execute` };
    await broker.exchange(agent, { ...api, purpose: undefined, task_id: taskId, lifetime: '300' });
    const { body } = await broker.complete(taskId);
    expect(body).toHaveProperty('revocation.effects', [
      {
        kind: 'jwt',
        effect: 'refused',
        count: 1,
        refusedOnlineSince: new Date(broker.clock.now()).toISOString(),
        believedOfflineUntil: new Date(broker.clock.now() + 300_000).toISOString(),
      },
      { kind: 'aws-sts', target: ROLE, count: 1, effect: 'pending', boundedBySeconds: 600, waitsFor: 'write' },
    ]);
  });

  it('denies all its sessions by one line', async () => {
    const first = await broker.mint('agent-7');
    const second = await broker.mint('agent-7', { purpose: undefined, task_id: first.taskId });
    await broker.complete(first.taskId);
    await broker.pass(5);
    expect([first.taskId, first.id, second.id].map(wasDenied)).toEqual([true, false, false]);
    expect([first, second].map(({ accessKeyId }) => broker.reads(accessKeyId))).toEqual([false, false]);
  });

  it('with less than 15 seconds left writes nothing, waits for the deadline, and has then expired', async () => {
    const keys = await broker.mint('agent-7', { lifetime: '60' });
    await broker.pass(46);
    const { body } = await broker.complete(keys.taskId);
    const left = { effect: 'pending', boundedBySeconds: 14, waitsFor: 'deadline' };
    expect(body).toHaveProperty('revocation.effects', [{ kind: 'aws-sts', target: ROLE, count: 1, ...left }]);
    await broker.pass(13);
    expect(await endOf(keys.id)).toEqual({ effect: 'pending', boundedBySeconds: 1, waitsFor: 'deadline' });
    expect(broker.reads(keys.accessKeyId)).toBe(true);
    await broker.pass(1);
    expect(await endOf(keys.id)).toEqual({ effect: 'expired' });
    expect(broker.reads(keys.accessKeyId)).toBe(false);
    expect([keys.taskId, keys.id].map(wasDenied)).toEqual([false, false]);
  });
});

describe('POST /revoke by the holder', () => {
  it.each<[string, (keys: Minted) => string]>([
    ['the JSON it was given', asProcess],
    ['the access key id alone', ({ accessKeyId }) => accessKeyId],
    ['the lines of an environment', ({ accessKeyId }) => `AWS_ACCESS_KEY_ID=${accessKeyId}\nAWS_SESSION_TOKEN=x`],
  ])('with %s ends the session, and says how far that is', async (_, text) => {
    const keys = await broker.mint('agent-7', { lifetime: '300' });
    const sibling = await broker.mint('agent-7', { purpose: undefined, task_id: keys.taskId });
    const reply = await giveBack(text(keys));
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({ effect: 'pending', boundedBySeconds: 300, waitsFor: 'write' });
    await broker.pass(5);
    expect([keys, sibling].map(({ accessKeyId }) => broker.reads(accessKeyId))).toEqual([false, true]);
    expect((await giveBack(text(keys))).body).toMatchObject({ effect: 'written', waitsFor: 'propagation' });
  });

  it('by anybody else, of what nobody knows, and of a session whose key is guessed: an empty 200, and nothing ends', async () => {
    const keys = await broker.mint('agent-7');
    const replies = [
      await giveBack(asProcess(keys), 'agent-8'),
      await giveBack(keys.accessKeyId, 'soc'),
      await giveBack('ASIAAAAAAAAAAAAAAAAA'),
      await giveBack(`${keys.accessKeyId}A`),
      await giveBack(keys.accessKeyId.toLowerCase()),
      await giveBack(keys.id),
    ];
    expect(replies.map(({ status, text }) => [status, text])).toEqual(replies.map(() => [200, '']));
    await broker.pass(6);
    expect(broker.reads(keys.accessKeyId)).toBe(true);
    expect((await broker.get(`/credentials/${keys.id}`, soc)).body).toHaveProperty('state', 'live');
  });
});

describe('POST /revocations', () => {
  it('answers a receipt that stays true: pending, written, effective, expired', async () => {
    const keys = await broker.mint('agent-7', { lifetime: '60' });
    const posted = await revoke({ selector: { kind: 'task', value: keys.taskId } });
    const { seq } = posted.body as { seq: number };
    const now = async () => effectsIn(await broker.get(`/revocations/${seq}`, soc));
    const roles = async () => ((await broker.get(`/revocations/${seq}`, soc)).body as { roles: object[] }).roles;
    const told = { kind: 'aws-sts', target: ROLE, count: 1 };
    expect(effectsIn(posted)).toEqual([{ ...told, effect: 'pending', boundedBySeconds: 60, waitsFor: 'write' }]);
    expect(await now()).toEqual(effectsIn(posted));
    await broker.pass(1);
    expect(await now()).toEqual([{ ...told, effect: 'written', boundedBySeconds: 59, waitsFor: 'propagation' }]);
    await broker.pass(14);
    expect(await now()).toMatchObject([{ effect: 'written' }]);
    expect(await roles()).toEqual([{ target: ROLE }]);
    await broker.pass(1);
    expect(await now()).toEqual([{ ...told, effect: 'effective' }]);
    const inForce = [{ target: ROLE, deniedSince: new Date(broker.clock.now()).toISOString() }];
    expect(await roles()).toEqual(inForce);
    expect(broker.reads(keys.accessKeyId)).toBe(false);
    await broker.pass(44);
    expect(await now()).toEqual([{ ...told, effect: 'expired' }]);
    expect(await roles()).toEqual(inForce);
    const all = (await broker.get('/revocations?limit=100', soc)).text;
    expect(all).toContain('"effect":"expired"');
  });

  it('with dryRun says what it would hit, and hits nothing', async () => {
    const keys = await broker.mint('agent-7', { lifetime: '300' });
    const reply = await revoke({ selector: { kind: 'task', value: keys.taskId }, dryRun: true });
    expect(reply.body).toMatchObject({ dryRun: true, affected: { credentials: 1, byTarget: { [ROLE]: 1 } } });
    expect(effectsIn(reply)).toMatchObject([{ kind: 'aws-sts', count: 1, effect: 'pending', boundedBySeconds: 300 }]);
    await broker.pass(6);
    expect(broker.reads(keys.accessKeyId)).toBe(true);
    expect([keys.taskId, keys.id].map(wasDenied)).toEqual([false, false]);
  });

  it.each<[string, (keys: Minted) => string]>([
    ['an access key id', ({ accessKeyId }) => accessKeyId],
    ['pasted credentials', asProcess],
    ['a line of a log', ({ accessKeyId }) => `  2030-01-01 using key "${accessKeyId}" for s3\n`],
    ["a stranger's key id before ours", ({ accessKeyId }) => `ASIAQWERTYQWERTYQWER,${accessKeyId}`],
  ])('with %s as leaked ends that session alone, and the secret is kept nowhere', async (_, text) => {
    const keys = await broker.mint('agent-7');
    const sibling = await broker.mint('agent-7');
    const { body } = await revoke({ leaked: text(keys) });
    expect(body).toMatchObject({ selector: { kind: 'credential', value: keys.id }, affected: { credentials: 1 } });
    await broker.pass(5);
    expect([keys, sibling].map(({ accessKeyId }) => broker.reads(accessKeyId))).toEqual([false, true]);
    expect(broker.logged()).not.toContain(keys.secretAccessKey);
  });

  it('with two sessions of ours in one text as leaked is refused, and neither ends', async () => {
    const both = [await broker.mint('agent-7'), await broker.mint('agent-8')];
    const reply = await revoke({ leaked: both.map(asProcess).join('\n') });
    expectProblem(
      reply,
      400,
      'invalid_request',
      /several credentials of this broker: crd_\w+, crd_\w+\. Nothing was revoked/,
    );
    await broker.pass(5);
    expect(both.map(({ accessKeyId }) => broker.reads(accessKeyId))).toEqual([true, true]);
  });

  it('with a key id that nobody knows as leaked is refused', async () => {
    const reply = await revoke({ leaked: 'ASIAAAAAAAAAAAAAAAAA' });
    expectProblem(reply, 400, 'invalid_request', /names no session of it/);
  });
});

describe('GET /credentials/{id}', () => {
  it('finds a session by its id and by its access key id, alike, and never shows the keys', async () => {
    const keys = await broker.mint('agent-7', { lifetime: '60' });
    const [byId, byKey] = [
      await broker.get(`/credentials/${keys.id}`, soc),
      await broker.get(`/credentials/${keys.accessKeyId}`, soc),
    ];
    expect(byId.body).toMatchObject({
      ...{ id: keys.id, kind: 'aws-sts', state: 'live', accessKeyId: keys.accessKeyId },
      ...{ task: keys.taskId, target: ROLE },
    });
    expect(byId.body).not.toHaveProperty('end');
    expect(byKey.body).toEqual(byId.body);
    expect(byId.text).not.toContain(keys.secretAccessKey);
    await broker.pass(60);
    expect(await endOf(keys.accessKeyId)).toEqual({ effect: 'expired' });
  });

  it('of a key id nobody knows is 404, and of one who may not ask 403', async () => {
    expect((await broker.get('/credentials/ASIAAAAAAAAAAAAAAAAA', soc)).status).toBe(404);
    const agent = await broker.identity('agent-7');
    const { accessKeyId } = await broker.mint('agent-7');
    for (const id of [accessKeyId, 'ASIAAAAAAAAAAAAAAAAA'])
      expect((await broker.get(`/credentials/${id}`, agent)).status).toBe(403);
  });
});
