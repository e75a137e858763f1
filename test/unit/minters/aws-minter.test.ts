/** The minter of AWS sessions: the real SDK, over real sockets, against an AWS account on this machine. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import type { JWTPayload } from 'jose';
import type { AwsTarget } from '../../../src/config/target-schema.js';
import { WHOLE_ROLE } from '../../../src/targets/aws.js';
import type { Credential } from '../../../src/domain/credential.js';
import { BrokerError } from '../../../src/domain/errors.js';
import { cause } from '../../../src/domain/selector.js';
import type { Task } from '../../../src/domain/task.js';
import { openKeys, type Keys } from '../../../src/keys/keys.js';
import { DENY_POLICY_NAME } from '../../../src/minters/aws/deny-policy.js';
import { createAwsMinter } from '../../../src/minters/aws/minter.js';
import type { OperatorWarning } from '../../../src/minters/aws/context.js';
import { NothingMinted, type Denials, type Minter } from '../../../src/minters/minter.js';
import {
  containerCredentialsSchema,
  processCredentialsSchema,
  toContainerCredentials,
  toProcessCredentials,
} from '../../../src/protocol/aws-credentials.js';
import { agentArn, agentRole, revokerArn, revokerRole } from '../../../fakes/aws/example-roles.js';
import type { Fault } from '../../../fakes/aws/faults.js';
import { startLoopbackAws, type LoopbackAws } from '../../../fakes/aws/server.js';
import { handClock, type HandClock, realClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';
import { noProxy } from '../../../src/outbound/proxy.js';

const issuer = 'http://127.0.0.1:8080';
const account = '111122223333';
const audience = 'sts.amazonaws.com';
const role = agentArn(account);
const workload = { kind: 'workload', id: 'spiffe://prod.example/agent/7', issuer: 'prod' } as const;
const jw = cause('workload', workload.id);
const dying = 'crd_aaeeeeeeeeeeeeee';
const keysNotRetrieved = "Couldn't retrieve verification key from your identity provider";

let keys: Keys;
let clock: HandClock;
let aws: LoopbackAws;
/** How far AWS's clock is ahead of the broker's. */
let aheadMs: number;
/** What was signed: every web identity there ever was. */
let signed: { claims: JWTPayload; header: { typ: string }; token: string }[];
let warned: OperatorWarning[];
let minter: Minter;

beforeAll(async () => {
  const { records } = modelStore(realClock);
  keys = await openKeys({ records, clock: realClock, keyEncryptionKey: randomBytes(32), rotationDays: 30 });
});

beforeEach(async () => {
  clock = handClock();
  aheadMs = 0;
  signed = [];
  warned = [];
  const wish = { account, audience, issuerName: issuer.replace('http://', '') };
  aws = await startLoopbackAws({
    account,
    roles: [agentRole(wish), agentRole(wish, 'agent-1'), revokerRole(wish)],
    providers: [{ issuer, clientIds: [audience], jwks: () => keys.jwks() }],
    propagationMs: 0,
    now: () => clock.now() + aheadMs,
  });
  minter = minterOf();
});
afterEach(async () => {
  await aws.close();
  for (const server of servers.splice(0)) await server.close();
});

/** An STS that answers everything with the same 200. */
async function answering(body: string): Promise<string> {
  const server = createServer((request, response) => void request.resume().on('end', () => response.end(body)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push({ close: () => new Promise((done) => (server.closeAllConnections(), server.close(done))) });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const servers: { close(): Promise<unknown> }[] = [];
const keyPair =
  '<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>secret-canary</SecretAccessKey><SessionToken>secret-canary</SessionToken></Credentials>';

const settings = (changed: Partial<AwsTarget['aws']> = {}): AwsTarget['aws'] => ({
  ...{ region: 'eu-central-1', audience, revokerRole: revokerArn(account), wholeRole: false, context: false },
  ...{ lifetimeMax: 3_600, mintsPerSecond: 50, stsEndpoint: aws.url, iamEndpoint: aws.url },
  ...changed,
});
const target = (changed: Partial<AwsTarget['aws']> = {}, resource = role): AwsTarget => ({
  ...{ resource, minter: 'aws-sts', labels: [], tags: {} },
  aws: settings(changed),
});
const minterOf = (targets: AwsTarget[] = [target(), target({}, agentArn(account, 'agent-1'))]): Minter =>
  createAwsMinter({
    ...{ targets, issuer, clock, proxyFor: noProxy, warn: (what) => void warned.push(what) },
    keys: {
      async sign(claims, header) {
        const token = await keys.sign(claims, header);
        signed.push({ claims, header, token });
        return token;
      },
    },
  });

const task: Task = {
  ...{ id: 'tsk_aabbbbbbbbbbbbbb', lineage: [], workload, purpose: 'tidy up', purposeFrom: 'agent', epoch: 'gen.4' },
  ...{ openedAt: Date.UTC(2030, 0, 1), deadline: Date.UTC(2030, 0, 1, 1), credentials: [] },
  ...{ suspensions: 0, suspended: false, revision: 0 },
};
const credential = (changed: Partial<Credential> = {}): Credential => ({
  ...{ id: dying, task: task.id, kind: 'aws-sts', target: role, state: 'reserved', epoch: 'gen.7' },
  access: [{ path: 'arn:aws:s3:::customer-data/tenant-42/**', actions: ['s3:GetObject'] }],
  ...{ issuedAt: clock.now(), expiresAt: clock.now() + 120_000, workloadSeq: 7 },
  ...changed,
});
const tags = { jc: 'aaeeeeeeeeeeeeee', jt: 'aabbbbbbbbbbbbbb', jw: `${jw}@7` };

const mint = (changed: Partial<Credential> = {}) => minter.mint(credential(changed), task);
const thrownBy = async (work: Promise<unknown>): Promise<unknown> => {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (!outcome) throw new Error('nothing was thrown');
  return outcome.error;
};
const fail = (...faults: Fault[]) => aws.faults.queue('AssumeRoleWithWebIdentity', faults);
const refuse = (code: string, status = 400, message = 'because'): Fault => ({ kind: 'error', code, message, status });

/** Everything that somebody who finds it could use: tokens, and the secret halves of sessions. */
const holdsNoSecret = (text: string) => {
  for (const { token } of signed) expect(text).not.toContain(token.slice(-20));
};

describe('a session', () => {
  it('is asked for with exactly these claims, and answered with credentials that say when they end', async () => {
    const { material, ...minted } = await mint();
    const [session] = aws.sessions();
    const iat = clock.now() / 1_000;
    expect(signed.map(({ claims, header }) => ({ claims, header }))).toEqual([
      {
        header: { typ: 'JWT' },
        claims: {
          ...{ iss: issuer, sub: `wl:${jw}`, aud: audience, iat, exp: iat + 60, jti: tags.jc },
          'https://aws.amazon.com/tags': {
            principal_tags: { jc: [tags.jc], jt: [tags.jt], jw: [tags.jw] },
            transitive_tag_keys: ['jc', 'jt', 'jw'],
          },
          'https://aws.amazon.com/source_identity': tags.jc,
        },
      },
    ]);
    expect(session).toMatchObject({ role, roleSessionName: tags.jc, sourceIdentity: tags.jc, tags });
    expect(session!.expiresAt - session!.issuedAt).toBe(900_000);
    const held = processCredentialsSchema.parse(JSON.parse(accessTokenOf(material)));
    expect(held).toMatchObject({ Version: 1, AccessKeyId: session!.id, Expiration: '2030-01-01T00:02:00Z' });
    if (material.kind !== 'aws-sts') throw new Error('of another kind');
    const read = containerCredentialsSchema.parse(toContainerCredentials(material));
    expect(toProcessCredentials(read)).toEqual(held);
    expect(minted).toEqual({
      handle: session!.id,
      scopeHash: hash('sha256', JSON.stringify(session!.sessionPolicy), 'base64url'),
    });
  });

  it('may do what was asked for until its deadline, and nothing else or after', async () => {
    const { handle = '' } = await mint();
    const may = (resource: string, at: number, action = 's3:GetObject') => aws.may(handle, { action, resource, at });
    const within = 'arn:aws:s3:::customer-data/tenant-42/report';
    const start = clock.now();
    expect([
      may(within, start),
      may(within, start + 119_000),
      may('arn:aws:s3:::customer-data/tenant-43/report', start),
      may(within, start, 's3:PutObject'),
      may(within, start + 120_000),
      may(within, start + 899_000),
    ]).toEqual(['allow', 'allow', 'implicit-deny', 'implicit-deny', 'explicit-deny', 'explicit-deny']);
  });

  it('lasts at AWS as long as at the broker, where that is more than the least of AWS', async () => {
    await mint({ expiresAt: clock.now() + 3_600_000 });
    expect(aws.sessions().map(({ issuedAt, expiresAt }) => expiresAt - issuedAt)).toEqual([3_600_000]);
  });

  it('proves the broker by the issuer of the target, where it has one', async () => {
    minter = minterOf([target({ issuer: 'https://keys.example' })]);
    await mint().catch(() => undefined);
    expect(signed.map(({ claims }) => claims.iss)).toEqual(['https://keys.example']);
  });

  it.each([
    [
      'SessionTokenUtilization',
      '<SessionTokenUtilization>81</SessionTokenUtilization><PackedPolicySize>9</PackedPolicySize>',
      1,
    ],
    ['PackedPolicySize, where that is all there is', '<PackedPolicySize>81</PackedPolicySize>', 1],
    ['80 percent', '<SessionTokenUtilization>80</SessionTokenUtilization>', 0],
  ])('that takes nearly all the room there is is told to the operator: %s', async (_, size, times) => {
    const stsEndpoint = await answering(
      `<R><AssumeRoleWithWebIdentityResult>${keyPair}${size}</AssumeRoleWithWebIdentityResult></R>`,
    );
    minter = minterOf([target({ stsEndpoint })]);
    expect(await mint()).toMatchObject({ handle: 'ASIA1' });
    expect(warned.map(({ what }) => what)).toEqual(Array.from({ length: times }, () => 'session-size'));
  });
});

describe('when STS fails', () => {
  it.each([
    ['reset', [{ kind: 'reset' }], 1, 1],
    ['a 503', [{ kind: 'status', status: 503 }], 1, 1],
    ['a lost answer', [{ kind: 'lost-answer' }], 2, 1],
    ['throttled', [{ kind: 'throttle' }], 1, 1],
    ['keys not retrieved, twice', [1, 2].map(() => refuse('InvalidIdentityToken', 400, keysNotRetrieved)), 1, 3],
    ['a token that came too late', [refuse('ExpiredTokenException')], 1, 2],
  ] satisfies [string, Fault[], number, number][])(
    '%s: it is asked again, for the same session, with a fresh token only where AWS judged the first',
    async (_, faults, sessions, tokens) => {
      fail(...faults);
      const { handle } = await mint();
      expect(aws.sessions().map((one) => one.tags)).toEqual(Array.from({ length: sessions }, () => tags));
      expect(aws.sessions().at(-1)).toMatchObject({ id: handle });
      expect(signed).toHaveLength(tokens);
    },
  );

  it('and every answer is lost, it does not say that nothing was minted: there are sessions that nobody holds', async () => {
    aws.faults.always(() => ({ kind: 'lost-answer' }));
    const error = await thrownBy(mint());
    expect(error).not.toBeInstanceOf(NothingMinted);
    expect(error).toMatchObject({ code: 'temporarily_unavailable', details: { retry: 'later' } });
    expect(aws.sessions().map((one) => one.tags)).toEqual([tags, tags, tags]);
  });

  it('certainly nothing was minted where the only attempt was refused', async () => {
    fail(refuse('AccessDenied', 403));
    const error = await thrownBy(mint());
    expect(error).toBeInstanceOf(NothingMinted);
    expect(error).toMatchObject({ refusal: { code: 'invalid_target' } });
  });

  it('a request that AWS does not understand leaves nothing to deny, and is no refusal but a bug', async () => {
    fail(refuse('ValidationError', 400));
    const error = await thrownBy(mint());
    expect(error).toBeInstanceOf(NothingMinted);
    expect((error as NothingMinted).refusal).not.toBeInstanceOf(BrokerError);
  });

  it('nothing is certain where an attempt before was lost, not even by our own repetition', async () => {
    fail({ kind: 'lost-answer' }, refuse('InvalidIdentityToken', 400, keysNotRetrieved), refuse('AccessDenied', 403));
    const error = await thrownBy(mint());
    expect(aws.sessions()).toHaveLength(1);
    expect(error).not.toBeInstanceOf(NothingMinted);
    expect(error).toMatchObject({ code: 'invalid_target' });
  });

  it('a token refused for another reason than its keys is not tried again', async () => {
    fail(refuse('InvalidIdentityToken', 400, 'Incorrect token audience'));
    expect(await thrownBy(mint())).toMatchObject({ refusal: { code: 'invalid_target', details: { retry: 'never' } } });
    expect(aws.calls('AssumeRoleWithWebIdentity')).toBe(1);
    expect(warned).toMatchObject([{ target: role, what: 'identity-provider' }]);
  });

  it.each([
    refuse('AccessDenied', 403),
    refuse('InvalidIdentityToken'),
    refuse('MalformedPolicyDocument'),
    refuse('PackedPolicyTooLarge'),
    refuse('SomethingNew'),
    { kind: 'status', status: 403 },
  ] satisfies Fault[])('no error or warning holds a secret: %j', async (fault) => {
    const message = 'upstream-canary';
    fail('message' in fault ? { ...fault, message } : fault);
    const text = inspect([await thrownBy(mint()), warned], { depth: 20, showHidden: true });
    holdsNoSecret(text);
    expect(text).not.toContain(message);
  });

  it.each([
    ['broken off', `<R><AssumeRoleWithWebIdentityResult>${keyPair.slice(0, -20)}`],
    ['no XML', `{"Credentials":"secret-canary"}`],
    [
      'without the half that is needed',
      '<R><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>secret-canary</SecretAccessKey></Credentials></AssumeRoleWithWebIdentityResult></R>',
    ],
  ])('a success that cannot be read is not quoted, and there may be a session: %s', async (_, body) => {
    minter = minterOf([target({ stsEndpoint: await answering(body) })]);
    const error = await thrownBy(mint());
    expect(error).toMatchObject({ name: 'BrokerError', code: 'temporarily_unavailable' });
    expect(inspect([error, warned], { depth: 20, showHidden: true })).not.toContain('secret-canary');
  });
});

describe('before anything is reserved', () => {
  const asserted = (changed: Partial<Credential> = {}) => minter.assertMintable!(credential(changed));

  it('what can be minted passes', async () => {
    await expect(asserted()).resolves.toBeUndefined();
    expect(aws.calls('AssumeRoleWithWebIdentity')).toBe(0);
  });

  const access = (path: string, ...actions: string[]) => ({ access: [{ path, actions }] });
  const bucket = 'arn:aws:s3:::customer-data';
  it.each([
    ['the whole role', access(role, WHOLE_ROLE), 'invalid_authorization_details'],
    ['an action that is none of AWS', access(bucket, 'read'), 'invalid_authorization_details'],
    ['all actions of a service', access(bucket, 's3:*'), 'invalid_authorization_details'],
    ['a path that is no ARN', access('customer-data', 's3:GetObject'), 'invalid_authorization_details'],
    [
      'one segment, which at AWS would be all below',
      access(`${bucket}/*`, 's3:GetObject'),
      'invalid_authorization_details',
    ],
    ['one segment in the middle', access(`${bucket}/*/x`, 's3:GetObject'), 'invalid_authorization_details'],
    ['one segment of everything', access('*', 's3:GetObject'), 'invalid_authorization_details'],
    [
      'another account',
      access('arn:aws:sqs:eu-central-1:444455556666:q', 'sqs:SendMessage'),
      'invalid_authorization_details',
    ],
    ['29 seconds', { expiresAt: Date.UTC(2030, 0, 1) + 29_999 }, 'invalid_request'],
  ])('%s is refused', async (_, changed, code) => {
    expect(await thrownBy(asserted(changed))).toMatchObject({ code });
  });

  it('30 seconds pass, and the whole role where the target allows it, but only alone', async () => {
    minter = minterOf([target({ wholeRole: true })]);
    const whole = { path: role, actions: [WHOLE_ROLE] };
    await asserted({ expiresAt: clock.now() + 30_000, access: [whole] });
    const beside = [whole, { path: bucket, actions: ['s3:ListBucket'] }];
    expect(await thrownBy(asserted({ access: beside }))).toMatchObject({ code: 'invalid_authorization_details' });
  });

  it('what is too large for a session policy is refused with its size, not trimmed', async () => {
    const paths = Array.from({ length: 32 }, (_, index) => `${bucket}/${'x'.repeat(80)}${index}`);
    const error = await thrownBy(asserted({ access: paths.map((path) => ({ path, actions: ['s3:GetObject'] })) }));
    expect(error).toMatchObject({ code: 'invalid_target', details: { retry: 'with-less' } });
    expect((error as Error).message).toMatch(/^The session policy would have \d{4} characters; AWS takes 2048\.$/);
  });

  it('a role beyond its rate is refused, another is not', async () => {
    minter = minterOf([target({ mintsPerSecond: 1 }), target({ mintsPerSecond: 1 }, agentArn(account, 'agent-1'))]);
    await asserted();
    expect(await thrownBy(asserted())).toMatchObject({ code: 'slow_down', details: { retryAfterSeconds: 1 } });
    await asserted({ target: agentArn(account, 'agent-1') });
  });

  it.each([
    [refuse('AccessDenied', 403), 30, 'invalid_target', undefined],
    [refuse('RegionDisabled', 403), 30, 'invalid_target', undefined],
    [refuse('IDPCommunicationError'), 5, 'temporarily_unavailable', 5],
    [{ kind: 'throttle' }, 2, 'temporarily_unavailable', 2],
  ] satisfies [Fault, number, string, number | undefined][])(
    'after %j the role is left alone for %d s, with the same refusal, and others are not',
    async (fault, seconds, code, retryAfterSeconds) => {
      fail(fault, fault, fault);
      const first = await thrownBy(mint());
      const refusal = first instanceof NothingMinted ? first.refusal : first;
      const calls = aws.calls('AssumeRoleWithWebIdentity');
      expect(refusal).toMatchObject({ code });
      const again = await thrownBy(asserted());
      expect(again).toMatchObject({ code, message: (refusal as Error).message });
      expect((again as BrokerError).details.retryAfterSeconds).toBe(retryAfterSeconds);
      await asserted({ target: agentArn(account, 'agent-1') });
      clock.jump(3_600_000); // Setting the clock is not waiting.
      expect(await thrownBy(asserted({ issuedAt: clock.now(), expiresAt: clock.now() + 60_000 }))).toMatchObject({
        code,
      });
      clock.advance(seconds * 1_000);
      await asserted();
      expect(aws.calls('AssumeRoleWithWebIdentity')).toBe(calls);
    },
  );
});

describe('a clock at AWS that is', () => {
  const agrees = () => minter.enforcer!.clockAgrees();

  it.each([
    ['ahead', 5_000],
    ['behind', -5_000],
  ])('five seconds %s: what was made is given to nobody and may exist, and the role rests', async (_, ms) => {
    aheadMs = ms;
    const error = await thrownBy(mint());
    expect(error).not.toBeInstanceOf(NothingMinted);
    expect(error).toMatchObject({ code: 'temporarily_unavailable', details: { retryAfterSeconds: 30 } });
    expect(aws.sessions()).toMatchObject([{ tags }]);
    expect(warned).toEqual([{ target: role, what: 'clock', advice: expect.stringMatching(/NTP/) }]);
    expect(await thrownBy(minter.assertMintable!(credential()))).toMatchObject({ code: 'temporarily_unavailable' });
    expect(agrees()).toBe(false);
  });

  it('right again after half a minute gives sessions again', async () => {
    aheadMs = 5_000;
    await thrownBy(mint());
    aheadMs = 0;
    clock.advance(30_000);
    await minter.assertMintable!(credential());
    await expect(mint()).resolves.toHaveProperty('handle');
    expect(agrees()).toBe(true);
  });

  it('two seconds off is what clocks are', async () => {
    for (aheadMs of [2_000, -2_000]) await expect(mint()).resolves.toHaveProperty('handle');
    expect([agrees(), warned]).toEqual([true, []]);
  });

  it('off is noticed by the session of the revoker, too, which is used all the same', async () => {
    aheadMs = 5_000;
    await minter.enforcer!.enforce(role, { credentials: [dying], tasks: [], workloads: [] }, 1);
    expect(aws.policyOf(role)).toHaveProperty(DENY_POLICY_NAME);
    expect(agrees()).toBe(false);
  });
});

describe('what must not be used any more', () => {
  const none: Denials = { credentials: [], tasks: [], workloads: [] };
  const dead: Denials = { ...none, credentials: [dying] };
  const enforcer = () => minter.enforcer!;

  it('is denied at the role as soon as IAM has it, and only that', async () => {
    const { handle: one = '' } = await mint();
    const { handle: other = '' } = await mint({ id: 'crd_aaffffffffffffff' });
    await enforcer().enforce(role, dead, 3);
    const ask = { action: 's3:GetObject', resource: 'arn:aws:s3:::customer-data/tenant-42/a' };
    expect([aws.may(one, ask), aws.may(other, ask)]).toEqual(['explicit-deny', 'allow']);
    expect(aws.policyOf(role)[DENY_POLICY_NAME]).toMatchObject({ Statement: [{ Sid: 'r3' }] });
  });

  it('is in force exactly when IAM has what this writer wrote', async () => {
    const inForce = () =>
      Promise.all([
        enforcer().isInForce(role, dead, 3),
        enforcer().isInForce(role, dead, 2),
        enforcer().isInForce(role, none, 3),
      ]);
    expect(await inForce()).toEqual([false, false, true]);
    await enforcer().enforce(role, dead, 3);
    expect(await inForce()).toEqual([true, false, false]);
    await enforcer().enforce(role, none, 4);
    expect(await inForce()).toEqual([false, false, true]);
    await enforcer().enforce(role, none, 5);
    expect(aws.policyOf(role)).toEqual({});
  });

  it('is written with a session of the revoker role, one for all roles, renewed at half its life', async () => {
    const openings = () => aws.calls('AssumeRoleWithWebIdentity');
    await Promise.all([enforcer().enforce(role, dead, 1), enforcer().isInForce(agentArn(account, 'agent-1'), none, 1)]);
    expect(openings()).toBe(1);
    expect(aws.sessions()).toMatchObject([
      { role: revokerArn(account), subject: 'broker:revoker', sourceIdentity: 'mayfly-revoker', tags: {} },
    ]);
    clock.advance(1_799_000);
    await enforcer().enforce(role, dead, 2);
    expect(openings()).toBe(1);
    clock.advance(1_000);
    aws.faults.always((operation) =>
      operation === 'AssumeRoleWithWebIdentity' ? refuse('AccessDenied', 403) : undefined,
    );
    await enforcer().enforce(role, dead, 3); // With the old one, while STS gives no new one.
    expect(aws.policyOf(role)[DENY_POLICY_NAME]).toMatchObject({ Statement: [{ Sid: 'r3' }] });
    clock.advance(1_740_000);
    expect(await thrownBy(enforcer().enforce(role, dead, 4))).toMatchObject({ code: 'temporarily_unavailable' });
    expect(warned).toContainEqual(expect.objectContaining({ target: role, what: 'revoker-session' }));
    aws.faults.clear();
    await enforcer().enforce(role, dead, 5);
    expect(await enforcer().isInForce(role, dead, 5)).toBe(true);
  });

  it('is not taken for denied when IAM refuses, loses the answer or has no room, and the log says so', async () => {
    for (const fault of [refuse('AccessDenied', 403), refuse('ServiceFailure', 500)]) {
      aws.faults.always((operation) => (operation.endsWith('RolePolicy') ? fault : undefined));
      for (const work of [
        enforcer().enforce(role, dead, 1),
        enforcer().isInForce(role, dead, 1),
        enforcer().enforce(role, none, 1),
      ])
        expect(await thrownBy(work)).toMatchObject({ code: 'temporarily_unavailable' });
    }
    aws.faults.clear();
    const many = { ...none, credentials: Array.from({ length: 600 }, () => dying) };
    expect(enforcer().fill(role, many)).toBeGreaterThan(1);
    expect(await thrownBy(enforcer().enforce(role, many, 1))).toMatchObject({ code: 'temporarily_unavailable' });
    expect(new Set(warned.map(({ what }) => what))).toEqual(new Set(['deny-policy']));
    holdsNoSecret(inspect(warned));
    expect(aws.policyOf(role)).toEqual({});
  });

  it('is written with another session once AWS no longer accepts the first', async () => {
    await enforcer().enforce(role, dead, 1);
    aws.faults.queue('PutRolePolicy', [refuse('ExpiredToken', 403)]);
    await thrownBy(enforcer().enforce(role, dead, 2));
    await enforcer().enforce(role, dead, 2);
    expect(aws.calls('AssumeRoleWithWebIdentity')).toBe(2);
  });
});
