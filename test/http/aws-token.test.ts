/** POST /token for an AWS role: what is granted, what AWS is sent about it, and how long it lasts. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { BUCKET, details, OTHER_ROLE, ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';

const AWS_CREDENTIALS = 'urn:mayfly:params:oauth:token-type:aws-credentials';

let broker: AwsBroker;
beforeAll(async () => {
  broker = await startAwsBroker({
    aws: { wholeRole: true },
    labels: [{ match: 'arn:aws:s3:::customer-data/vault/**', sensitivity: 'restricted' }],
  });
});

const born = (accessKeyId: string) => broker.aws.sessions().find(({ id }) => id === accessKeyId);
const secondsLeft = ({ expiration }: { expiration: number }) => (expiration - broker.clock.now()) / 1_000;
const wholeRole = { authorization_details: details(ROLE, ['aws:assumeRole']) };

describe('the answer', () => {
  it('is as RFC 8693 §2.2.1 says, with the keys as credential_process prints them, and never cached', async () => {
    const reply = await broker.session('agent-7', { lifetime: '120' });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.body).toEqual({
      access_token: expect.any(String),
      issued_token_type: AWS_CREDENTIALS,
      token_type: 'N_A',
      expires_in: 120,
      authorization_details: JSON.parse(details(`${BUCKET}/tenant-42/*`)) as unknown,
      task_id: expect.stringMatching(/^tsk_[a-z2-7]{16}$/),
    });
    expect(JSON.parse((reply.body as { access_token: string }).access_token)).toEqual({
      Version: 1,
      AccessKeyId: expect.stringMatching(/^ASIA[A-Z0-9]+$/),
      SecretAccessKey: expect.any(String),
      SessionToken: expect.any(String),
      // The deadline, to the second: AWS would say fifteen minutes.
      Expiration: new Date(broker.clock.now() + 120_000).toISOString().replace('.000Z', 'Z'),
    });
  });

  it('is the same whether the type of the credential is asked for or implied by the target', async () => {
    const reply = await broker.session('agent-7', { requested_token_type: AWS_CREDENTIALS });
    expect(reply.body).toHaveProperty('issued_token_type', AWS_CREDENTIALS);
  });

  it('leaves an audit entry with the digest of what AWS was sent, and nothing of the keys', async () => {
    const keys = await broker.mint('agent-7');
    const entry = await broker.audited('credential.granted');
    expect(entry).toMatchObject({ credential: keys.id, task: keys.taskId, target: ROLE });
    expect(entry).toHaveProperty('scopeHash', expect.stringMatching(/^[\w-]{43}$/));
    expect(JSON.stringify(entry)).not.toContain(keys.secretAccessKey);
  });
});

describe('the session at AWS', () => {
  it('is named, tagged and attributed by the ids of the ledger, transitively', async () => {
    const keys = await broker.mint('agent-7');
    const session = born(keys.accessKeyId);
    const jc = keys.id.replace('crd_', '');
    expect(session).toMatchObject({
      role: ROLE,
      roleSessionName: jc,
      sourceIdentity: jc,
      transitiveTagKeys: ['jc', 'jt', 'jw'],
    });
    expect(session?.tags).toEqual({
      jc,
      jt: keys.taskId.replace('tsk_', ''),
      jw: expect.stringMatching(/^[\w-]{16}@0$/),
    });
  });

  it('is proven by a JWT for AWS alone, which lives a minute and is of no person', async () => {
    const claims = born((await broker.mint('agent-7')).accessKeyId)?.claims;
    expect(claims).toMatchObject({ iss: 'https://mayfly.example', aud: 'sts.amazonaws.com' });
    expect(claims?.sub).toMatch(/^wl:[\w-]{16}$/);
    expect((claims?.exp ?? 0) - (claims?.iat ?? 0)).toBe(60);
  });

  it('says to AWS for whom it is where that is wanted, and nowhere else', async () => {
    const told = await startAwsBroker({ aws: { context: true } });
    const claimsOf = async (of: AwsBroker, wish: Record<string, unknown>) => {
      const taskId = await of.open('agent-7', wish);
      const { accessKeyId } = await of.mint('agent-7', { purpose: undefined, task_id: taskId });
      return { taskId, claims: of.aws.sessions().find(({ id }) => id === accessKeyId)?.claims };
    };
    const { taskId, claims } = await claimsOf(told, { purpose: 'read "42" #urgent', principal: 'staff:ada' });
    expect(claims).toMatchObject({
      mayfly_subject: 'staff:ada',
      mayfly_subject_type: 'user',
      mayfly_task: taskId,
      mayfly_purpose: 'read _42_ _urgent',
    });
    const own = await claimsOf(told, { purpose: 'x'.repeat(200) });
    expect(own.claims).toMatchObject({ mayfly_subject: 'lab:agent-7', mayfly_subject_type: 'workload' });
    expect(own.claims).toHaveProperty('mayfly_purpose', 'x'.repeat(128));
    expect(Object.keys((await claimsOf(broker, {})).claims ?? {}).join()).not.toContain('mayfly');
  });

  it.each([
    ['30', 900],
    ['120', 900],
    ['900', 900],
    ['901', 901],
    ['3600', 3_600],
  ])('of %s seconds is asked of STS for %i, and dies at its own deadline', async (lifetime, asked) => {
    const keys = await broker.mint('agent-7', { lifetime });
    const session = born(keys.accessKeyId);
    expect(((session?.expiresAt ?? 0) - (session?.issuedAt ?? 0)) / 1_000).toBe(asked);
    expect(secondsLeft(keys)).toBe(Number(lifetime));
    const at = (ms: number) =>
      broker.aws.may(keys.accessKeyId, { action: 's3:GetObject', resource: `${BUCKET}/tenant-42/a`, at: ms });
    expect(at(keys.expiration - 1_000)).toBe('allow');
    expect(at(keys.expiration)).not.toBe('allow');
    if (Number(lifetime) < 900) expect(at(keys.expiration)).toBe('explicit-deny');
  });
});

describe('the deadline', () => {
  it('is never later than that of the task, whatever is asked for', async () => {
    const task = await broker.open('agent-7', { deadlineSeconds: 200 });
    const reply = await broker.session('agent-7', { purpose: undefined, task_id: task, lifetime: '3600' });
    expect(reply.body).toHaveProperty('expires_in', 200);
  });

  it('is shortened by a forbid with a lifetime, as for any target', async () => {
    const asked = { authorization_details: details(`${BUCKET}/vault/a`), lifetime: '900' };
    expect((await broker.session('agent-7', asked)).body).toHaveProperty('expires_in', 60);
  });
});

describe('what is permitted', () => {
  it('is decided by Cedar on the entries themselves: all of them, or nothing', async () => {
    const both = JSON.stringify(
      [`${BUCKET}/tenant-42/*`, `${BUCKET}/secrets/key`].flatMap((one) => JSON.parse(details(one)) as object[]),
    );
    const calls = broker.aws.calls('AssumeRoleWithWebIdentity');
    const reply = await broker.session('agent-7', { authorization_details: both });
    expectOAuthRefusal(reply, 400, 'access_denied', /Policy forbids 's3:GetObject' on .*, by 'no-secrets'/);
    expect(broker.aws.calls('AssumeRoleWithWebIdentity')).toBe(calls);
  });

  it.each([`${BUCKET}/secrets`, `${BUCKET}/secrets/a`, `${BUCKET}/secrets/*`, `${BUCKET}/*`, '*'])(
    'a forbid cannot be slipped past by asking for %s',
    async (identifier) => {
      const reply = await broker.session('agent-7', { authorization_details: details(identifier) });
      expectOAuthRefusal(reply, 400, 'access_denied');
    },
  );

  it('a forbid of one role says nothing about another', async () => {
    const other = {
      resource: OTHER_ROLE,
      authorization_details: details(`${BUCKET}/secrets/a`, undefined, OTHER_ROLE),
    };
    const keys = await broker.mint('agent-7', other);
    expect(born(keys.accessKeyId)?.role).toBe(OTHER_ROLE);
  });
});

describe('a role as it is', () => {
  const otherRole = {
    resource: OTHER_ROLE,
    authorization_details: details(OTHER_ROLE, ['aws:assumeRole'], OTHER_ROLE),
  };

  it('is had by whom a policy that names it permits, and the deadline stays', async () => {
    const reply = await broker.session('ci', { ...otherRole, lifetime: '60' });
    expect(reply.body).toMatchObject({ authorization_details: JSON.parse(otherRole.authorization_details) as unknown });
    const keys = await broker.mint('ci', { ...otherRole, lifetime: '60' });
    expect(broker.reads(keys.accessKeyId, 'secrets/key')).toBe(true);
    await broker.pass(60);
    expect(broker.reads(keys.accessKeyId, 'secrets/key')).toBe(false);
  });

  it('slips past no forbid: it reaches everything, so it is asked about everything', async () => {
    expectOAuthRefusal(await broker.session('ci', wholeRole), 400, 'access_denied', /aws:assumeRole/);
  });

  it('is not had by permits of groups of actions', async () => {
    expectOAuthRefusal(await broker.session('agent-7', wholeRole), 400, 'access_denied', /aws:assumeRole/);
  });
});
