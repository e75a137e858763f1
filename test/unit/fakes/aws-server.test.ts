/** The loopback AWS, asked by the real SDK: it mints, refuses, chains, revokes late and fails as AWS does. */
import { randomBytes } from 'node:crypto';
import { DeleteRolePolicyCommand, GetRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
  type AssumeRoleWithWebIdentityCommandInput,
  type Credentials,
} from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { agentArn, agentRole, revokerArn, revokerRole } from '../../../fakes/aws/example-roles.js';
import type { RoleOptions } from '../../../fakes/aws/options.js';
import { startLoopbackAws, type LoopbackAws } from '../../../fakes/aws/server.js';
import { handClock, type HandClock } from '../../support/clock.js';
import { serveIssuer } from '../../support/issuers/site.js';
import { createIssuer, type TestIssuer, type TokenWish } from '../../support/issuers/issuer.js';

const ACCOUNT = '111122223333';
const AUDIENCE = 'sts.amazonaws.com';
const OBJECT = { action: 's3:GetObject', resource: 'arn:aws:s3:::data/a' };
const EXAMPLE = { account: ACCOUNT, issuerName: 'jit.example', audience: AUDIENCE };
const allow = (Action: string, Resource = '*') => ({ Effect: 'Allow' as const, Action, Resource });
/** Any session of the account that may assume roles may assume this one. It has no boundary, and denies credential `c2`. */
const second: RoleOptions = {
  arn: agentArn(ACCOUNT, 'agent-second'),
  trust: {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
    },
  },
  base: {
    Version: '2012-10-17',
    Statement: [
      allow('s3:*'),
      { ...allow('*'), Effect: 'Deny', Condition: { StringEquals: { 'aws:PrincipalTag/jc': 'c2' } } },
    ],
  },
};
const chainer: RoleOptions = {
  ...agentRole(EXAMPLE, 'agent-chainer'),
  base: { Version: '2012-10-17', Statement: [allow('s3:*'), allow('sts:*', second.arn)] },
};
const trusting: RoleOptions = {
  ...second,
  arn: agentArn(ACCOUNT, 'trusting'),
  trust: {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:sts::${ACCOUNT}:assumed-role/agent-chainer/named` },
      Action: 'sts:*',
    },
  },
};
const NEEDED = ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'];
/** The trust policy of this role allows all that is needed, except one action. */
const lacking = (action: string): RoleOptions => ({
  ...second,
  arn: agentArn(ACCOUNT, `lacks-${action.slice(4)}`),
  trust: {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${EXAMPLE.issuerName}` },
      Action: NEEDED.filter((one) => one !== action),
    },
  },
});
/** This role may do everything in IAM, on roles with a boundary. */
const bounded: RoleOptions = {
  ...revokerRole(EXAMPLE),
  arn: agentArn(ACCOUNT, 'bounded'),
  base: {
    Version: '2012-10-17',
    Statement: { ...allow('iam:*'), Condition: { Null: { 'iam:PermissionsBoundary': 'false' } } },
  },
};

let clock: HandClock;
let issuer: TestIssuer;
let aws: LoopbackAws;
const clients: { destroy(): void }[] = [];

beforeEach(async () => {
  clock = handClock();
  issuer = await createIssuer({ clock, url: 'https://jit.example' });
  aws = await startLoopbackAws({
    account: ACCOUNT,
    roles: [agentRole(EXAMPLE), revokerRole(EXAMPLE), chainer, second, trusting, bounded, ...NEEDED.map(lacking)],
    providers: [{ issuer: issuer.url, clientIds: [AUDIENCE, 'other'], jwks: () => Promise.resolve(issuer.jwks()) }],
    propagationMs: 5_000,
    now: () => clock.now(),
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await aws.close();
});

/** Claims that may assume an agent role; `wish` replaces some. */
const claims = (
  wish: TokenWish = {},
  tags: Record<string, string> = { jc: 'c1', jt: 't1', jw: 'w1@0' },
): TokenWish => ({
  sub: 'wl:w1',
  aud: AUDIENCE,
  'https://aws.amazon.com/tags': {
    principal_tags: Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, [value]])),
    transitive_tag_keys: Object.keys(tags),
  },
  'https://aws.amazon.com/source_identity': 'c1',
  ...wish,
});
const token = (...wish: Parameters<typeof claims>) => issuer.token(claims(...wish));

type Keys = Credentials | undefined;
/** Returns the settings of a client. Without keys it is nobody: keys that the machine happens to have are not used. */
const settings = (keys?: Keys) => ({
  endpoint: aws.url,
  region: 'eu-central-1',
  maxAttempts: 1,
  credentials: {
    accessKeyId: keys?.AccessKeyId ?? 'none',
    secretAccessKey: keys?.SecretAccessKey ?? 'none',
    sessionToken: keys?.SessionToken ?? 'none',
  },
});
function sts(keys?: Keys, over: object = {}): STSClient {
  const client = new STSClient({ ...settings(keys), ...over });
  clients.push(client);
  return client;
}
function iam(keys?: Keys): IAMClient {
  const client = new IAMClient(settings(keys));
  clients.push(client);
  return client;
}

const assume = async (over: Partial<AssumeRoleWithWebIdentityCommandInput> = {}, client = sts()) =>
  client.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: agentArn(ACCOUNT),
      RoleSessionName: 'c1',
      WebIdentityToken: await token(),
      ...over,
    }),
  );
const assumeWith = async (wish: TokenWish, tags?: Record<string, string>) =>
  assume({ WebIdentityToken: await token(wish, tags) });

const chain = (keys: Keys, over: object = {}) =>
  sts(keys).send(new AssumeRoleCommand({ RoleArn: second.arn, RoleSessionName: 'next', ...over }));

describe('AssumeRoleWithWebIdentity', () => {
  test('answers credentials of a session that has what the token says', async () => {
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: allow('s3:GetObject') });
    const answer = await assume({ Policy, DurationSeconds: 900 });
    expect(answer).toMatchObject({
      Credentials: {
        AccessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
        Expiration: new Date(clock.now() + 900_000),
      },
      AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/agent-0/c1` },
      Audience: AUDIENCE,
      SubjectFromWebIdentityToken: 'wl:w1',
      SourceIdentity: 'c1',
      PackedPolicySize: answer.SessionTokenUtilization,
    });
    const id = answer.Credentials!.AccessKeyId!;
    expect(aws.sessions()).toEqual([
      expect.objectContaining({
        id,
        role: agentArn(ACCOUNT),
        tags: { jc: 'c1', jt: 't1', jw: 'w1@0' },
        transitiveTagKeys: ['jc', 'jt', 'jw'],
        sourceIdentity: 'c1',
        sessionPolicy: JSON.parse(Policy) as object,
        issuedAt: clock.now(),
        expiresAt: clock.now() + 900_000,
        subject: 'wl:w1',
      }),
    ]);
    expect(JSON.stringify(aws.sessions())).not.toContain(answer.Credentials!.SecretAccessKey);
    expect(aws.may(id, OBJECT)).toBe('allow');
    expect(aws.may(id, { ...OBJECT, action: 's3:PutObject' })).toBe('implicit-deny');
    expect(aws.may(id, { ...OBJECT, at: clock.now() + 899_999 })).toBe('allow');
    expect(aws.may(id, { ...OBJECT, at: clock.now() + 900_000 })).toBe('expired');
    expect(aws.may('ASIANOBODY', OBJECT)).toBe('unknown');
  });

  test.each<[string, TokenWish, string]>([
    ['an audience nobody registered', { aud: 'elsewhere' }, 'InvalidIdentityTokenException'],
    ['a list of audiences', { aud: [AUDIENCE] }, 'InvalidIdentityTokenException'],
    ['an issuer nobody registered', { iss: 'https://evil.example' }, 'InvalidIdentityTokenException'],
    ['no expiry', { exp: undefined }, 'InvalidIdentityTokenException'],
    ['a fraction of a second', { iat: 1.5 }, 'InvalidIdentityTokenException'],
    [
      'a tag with two values',
      { 'https://aws.amazon.com/tags': { principal_tags: { jc: ['a', 'b'] } } },
      'InvalidIdentityTokenException',
    ],
    [
      'a transitive key that is no tag',
      { 'https://aws.amazon.com/tags': { principal_tags: {}, transitive_tag_keys: ['jc'] } },
      'InvalidParameterValue',
    ],
    ['a source identity with a space', { 'https://aws.amazon.com/source_identity': 'c 1' }, 'ValidationError'],
    ['an audience the trust policy does not want', { aud: 'other' }, 'AccessDenied'],
    ['a subject the trust policy does not want', { sub: 'broker:revoker' }, 'AccessDenied'],
    ['no tags where the trust policy wants them', { 'https://aws.amazon.com/tags': undefined }, 'AccessDenied'],
  ])('refuses a token with %s', async (_, wish, name) => {
    await expect(assumeWith(wish)).rejects.toMatchObject({ name });
    expect(aws.sessions()).toEqual([]);
  });

  test.each<[string, Record<string, string>]>([
    ['a # in a value', { jc: 'w1#7' }],
    ['an empty key', { '': 'x' }],
    ['a key that AWS reserved', { 'AWS:x': 'x' }],
    ['a value of 257 characters', { jc: 'x'.repeat(257) }],
    ['51 tags', Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'x']))],
  ])('refuses %s among the tags', async (_, tags) => {
    await expect(assumeWith({}, { jt: 't', jw: 'w', ...tags })).rejects.toMatchObject({ name: 'ValidationError' });
  });

  test.each(NEEDED)('is refused where the trust policy does not allow %s', async (action) => {
    const RoleArn = lacking(action).arn;
    await expect(assume({ RoleArn })).rejects.toMatchObject({ name: 'AccessDenied' });
    if (action === NEEDED[0]) return;
    // Only because the token asks for it.
    const plain = { 'https://aws.amazon.com/tags': undefined, 'https://aws.amazon.com/source_identity': undefined };
    await assume({ RoleArn, WebIdentityToken: await token(plain) });
  });

  test('refuses keys that differ only in case', async () => {
    const refused = assumeWith({}, { jc: 'a', JC: 'b', jt: 't', jw: 'w' });
    await expect(refused).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  test('refuses a token that another key signed', async () => {
    const stolen = await token();
    await issuer.rotate();
    await expect(assume({ WebIdentityToken: stolen })).rejects.toMatchObject({ name: 'InvalidIdentityTokenException' });
  });

  test('takes a token until five minutes after its expiry', async () => {
    const WebIdentityToken = await token({ expiresInSeconds: 60 });
    clock.advance(359_000);
    await assume({ WebIdentityToken });
    clock.advance(1_000);
    await expect(assume({ WebIdentityToken })).rejects.toMatchObject({ name: 'ExpiredTokenException' });
  });

  test.each<[string, Partial<AssumeRoleWithWebIdentityCommandInput>, string]>([
    [
      'a policy of more than 2,048 characters',
      { Policy: `${JSON.stringify({ Version: '2012-10-17', Statement: allow('s3:*') })}${' '.repeat(2_000)}` },
      'ValidationError',
    ],
    ['a policy that packs badly', { Policy: unpackable() }, 'PackedPolicyTooLargeException'],
    ['a policy that is not understood', { Policy: '{"Version":"2012-10-17"}' }, 'MalformedPolicyDocumentException'],
    ['899 seconds', { DurationSeconds: 899 }, 'ValidationError'],
    ['more seconds than the role allows', { DurationSeconds: 3_601 }, 'ValidationError'],
    ['a session name with a slash', { RoleSessionName: 'a/b' }, 'ValidationError'],
    ['a role that does not exist', { RoleArn: agentArn(ACCOUNT, 'agent-9') }, 'AccessDenied'],
    [
      'a parameter it does not know',
      { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }] },
      'ValidationError',
    ],
  ])('refuses %s', async (_, over, name) => {
    await expect(assumeLong(over)).rejects.toMatchObject({ name });
    expect(aws.sessions()).toEqual([]);
  });

  /** With tags that do not pack either. */
  const assumeLong = async (over: Partial<AssumeRoleWithWebIdentityCommandInput>) =>
    assume({ WebIdentityToken: await token({}, { jc: 'c1', jt: 't1', jw: 'w1@0', ...noise(20) }), ...over });
});

describe('keys of an issuer', () => {
  test('are fetched from where its discovery document says, once, and again when a new one turns up', async () => {
    const site = await serveIssuer({ clock });
    const issuerName = site.url.replace('http://', '');
    const other = await startLoopbackAws({
      account: ACCOUNT,
      roles: [agentRole({ ...EXAMPLE, issuerName })],
      providers: [{ issuer: site.url, clientIds: [AUDIENCE] }],
      propagationMs: 0,
      now: () => clock.now(),
    });
    const client = sts(undefined, { endpoint: other.url });
    const ask = async () => assume({ WebIdentityToken: await site.token(claims()) }, client);

    site.behaviour = 'failing';
    await expect(ask()).rejects.toThrow("Couldn't retrieve verification key");
    site.behaviour = 'well';
    await ask();
    await ask();
    expect(site.requests.slice(1)).toEqual(['/.well-known/openid-configuration', '/keys']);
    await site.rotate();
    await ask();
    expect(other.sessions()).toHaveLength(3);
    await Promise.all([site.close(), other.close()]);
  });
});

describe('role chaining', () => {
  const first = async () => (await assume({ RoleArn: chainer.arn })).Credentials;

  test('carries transitive tags and the source identity over, in a session with its own time of issue', async () => {
    const keys = await first();
    clock.advance(10_000);
    await chain(keys, { Tags: [{ Key: 'own', Value: '1' }] });
    expect(aws.sessions()[1]).toMatchObject({
      role: second.arn,
      tags: { jc: 'c1', jt: 't1', jw: 'w1@0', own: '1' },
      transitiveTagKeys: ['jc', 'jt', 'jw'],
      sourceIdentity: 'c1',
      chainedFrom: keys?.AccessKeyId,
      issuedAt: clock.now(),
      subject: undefined,
    });
  });

  test('an inherited tag can be replaced as little as the source identity, nor more than an hour be had', async () => {
    const keys = await first();
    const name = (pattern: string) => ({ name: pattern });
    await expect(chain(keys, { Tags: [{ Key: 'JC', Value: 'x' }] })).rejects.toMatchObject(
      name('InvalidParameterValue'),
    );
    await expect(chain(keys, { SourceIdentity: 'other' })).rejects.toMatchObject(name('ValidationError'));
    await expect(chain(keys, { DurationSeconds: 3_601 })).rejects.toMatchObject(name('ValidationError'));
  });

  test('by a session that the trust policy names skips the implicit denies, but no explicit one', async () => {
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: allow('s3:*') });
    const deny = JSON.stringify({ Version: '2012-10-17', Statement: { ...allow('sts:*'), Effect: 'Deny' } });
    const session = async (over: object) =>
      (await assume({ RoleArn: chainer.arn, RoleSessionName: 'named', ...over })).Credentials;
    const into = (keys: Keys) => chain(keys, { RoleArn: trusting.arn });
    await into(await session({ Policy }));
    await expect(into(await session({ Policy, RoleSessionName: 'unnamed' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    await expect(into(await session({ Policy: deny }))).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('is refused to a session whose role, or whose own policy, does not allow it', async () => {
    await expect(chain((await assume()).Credentials)).rejects.toMatchObject({ name: 'AccessDenied' });
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: allow('s3:*') });
    const narrowed = await assume({ RoleArn: chainer.arn, Policy });
    await expect(chain(narrowed.Credentials)).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

describe('signed requests', () => {
  test('GetCallerIdentity is answered to every live session, whatever is denied', async () => {
    const { Credentials: keys } = await assume();
    expect(aws.may(keys!.AccessKeyId!, { action: 'sts:AssumeRole', resource: '*' })).toBe('explicit-deny');
    expect(await sts(keys).send(new GetCallerIdentityCommand())).toMatchObject({
      Account: ACCOUNT,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/agent-0/c1`,
    });
    clock.advance(3_600_000);
    await expect(sts(keys).send(new GetCallerIdentityCommand())).rejects.toMatchObject({ name: 'ExpiredToken' });
  });

  test('a wrong secret and a wrong session token are noticed', async () => {
    const { Credentials: keys } = await assume();
    const ask = (over: object) => sts({ ...keys!, ...over }).send(new GetCallerIdentityCommand());
    await expect(ask({ SecretAccessKey: 'guessed' })).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    await expect(ask({ SessionToken: 'guessed' })).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
    await expect(ask({ AccessKeyId: 'ASIAGUESSED' })).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
  });
});

describe('policies of a role', () => {
  const name = { RoleName: 'agent-0', PolicyName: 'JitRevocations' };
  const denying = (ids: string[]) => ({
    Version: '2012-10-17',
    Statement: {
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: { StringEquals: { 'aws:PrincipalTag/jc': ids } },
    },
  });
  const put = (client: IAMClient, document: object | string, over: object = {}) => {
    const PolicyDocument = typeof document === 'string' ? document : JSON.stringify(document);
    return client.send(new PutRolePolicyCommand({ ...name, PolicyDocument, ...over }));
  };
  const revoker = async (RoleArn = revokerArn(ACCOUNT)) => {
    const WebIdentityToken = await token({
      sub: 'broker:revoker',
      'https://aws.amazon.com/tags': undefined,
      'https://aws.amazon.com/source_identity': undefined,
    });
    return iam((await assume({ RoleArn, WebIdentityToken })).Credentials);
  };

  test('are put, read and deleted, each taking effect when it has propagated', async () => {
    const id = (await assume()).Credentials!.AccessKeyId!;
    const client = await revoker();
    const inForce = () => [-1, 0].map((ms) => aws.may(id, { ...OBJECT, at: clock.now() + 5_000 + ms }));

    await put(client, denying(['c1']));
    expect(aws.may(id, OBJECT)).toBe('allow');
    expect(inForce()).toEqual(['allow', 'explicit-deny']);
    const read = await client.send(new GetRolePolicyCommand(name));
    expect(JSON.parse(decodeURIComponent(read.PolicyDocument!))).toEqual(denying(['c1']));

    clock.advance(5_000);
    await put(client, denying(['c2']));
    expect(inForce()).toEqual(['explicit-deny', 'allow']);
    clock.advance(5_000);
    await put(client, denying(['c1']));
    clock.advance(5_000);
    await client.send(new DeleteRolePolicyCommand(name));
    expect(inForce()).toEqual(['explicit-deny', 'allow']);
    expect(aws.policyOf('agent-0')).toEqual({});
    expect(aws.writes('agent-0').map(({ document }) => document)).toEqual([
      denying(['c1']),
      denying(['c2']),
      denying(['c1']),
      undefined,
    ]);
    for (const Command of [GetRolePolicyCommand, DeleteRolePolicyCommand])
      await expect(client.send(new Command(name) as GetRolePolicyCommand)).rejects.toMatchObject({
        name: 'NoSuchEntityException',
      });
  });

  test('of 10,240 characters with the base policy are too long, white space not counted', async () => {
    const client = await revoker();
    const empty = JSON.stringify(agentRole(EXAMPLE).base).length + JSON.stringify(denying([''])).length;
    const document = (characters: number) => JSON.stringify(denying(['x'.repeat(characters - empty)]), undefined, 8);
    await put(client, document(10_240));
    await expect(put(client, document(10_241))).rejects.toMatchObject({ name: 'LimitExceededException' });
    await expect(put(client, document(200 + empty), { PolicyName: 'Other' })).rejects.toMatchObject({
      name: 'LimitExceededException',
    });
  });

  test('are written only where the writer may, and only when understood', async () => {
    const agent = iam((await assume()).Credentials);
    await expect(put(agent, denying(['c1']))).rejects.toMatchObject({ name: 'AccessDenied' });
    const client = await revoker();
    await expect(put(client, denying(['c1']), { RoleName: 'agent-second' })).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    await expect(put(client, denying([]))).rejects.toMatchObject({ name: 'MalformedPolicyDocumentException' });
    expect(aws.writes('agent-0')).toEqual([]);
  });

  test('are not read by a permission that asks for a boundary, a key that AWS has for writing alone', async () => {
    const client = await revoker(bounded.arn);
    await put(client, denying(['c1']));
    await expect(client.send(new GetRolePolicyCommand(name))).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('deny nothing by sts:RoleSessionName, which later requests do not have', async () => {
    const id = (await assume()).Credentials!.AccessKeyId!;
    const document = denying(['c1']);
    document.Statement.Condition.StringEquals = { 'sts:RoleSessionName': ['c1'] } as never;
    await put(await revoker(), document);
    clock.advance(5_000);
    expect(aws.may(id, OBJECT)).toBe('allow');
  });

  test('deny by tag the sessions of their role, and those chained from it only where the other role denies too', async () => {
    const chained = async (jc: string) => {
      const WebIdentityToken = await token({}, { jc, jt: 't1', jw: 'w1@0' });
      const { Credentials: keys } = await assume({ RoleArn: chainer.arn, WebIdentityToken });
      return [keys, (await chain(keys)).Credentials].map((one) => one!.AccessKeyId!);
    };
    const ids = [...(await chained('c1')), ...(await chained('c2'))];
    await put(await revoker(), denying(['c1']), { RoleName: 'agent-chainer' });
    clock.advance(5_000);
    expect(ids.map((id) => aws.may(id, OBJECT))).toEqual(['explicit-deny', 'allow', 'allow', 'explicit-deny']);
  });
});

describe('the data plane', () => {
  test('gives an object to a session that may read it, and nothing to others', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: allow('s3:GetObject', 'arn:aws:s3:::data/mine/*'),
    });
    const { Credentials: keys } = await assume({ Policy });
    const read = async (path: string, sessionToken = keys!.SessionToken!) => {
      const headers = { 'x-access-key-id': keys!.AccessKeyId!, 'x-security-token': sessionToken };
      const answer = await fetch(`${aws.url}/s3/${path}`, { headers });
      return [answer.status, await answer.text()];
    };
    expect(await read('data/mine/a')).toEqual([200, 'This is arn:aws:s3:::data/mine/a\n']);
    expect(await read('data/yours/a')).toEqual([403, expect.stringContaining('<Code>AccessDenied</Code>')]);
    expect(await read('data/mine/a', 'guessed')).toEqual([403, expect.stringContaining('InvalidClientTokenId')]);
    expect(aws.calls('GetObject')).toBe(3);
  });
});

describe('faults', () => {
  const OPERATION = 'AssumeRoleWithWebIdentity';

  test('a throttled call is tried again by the SDK', async () => {
    aws.faults.queue(OPERATION, [{ kind: 'throttle' }]);
    await assume({}, sts(undefined, { maxAttempts: 2 }));
    expect(aws.calls(OPERATION)).toBe(2);
    expect(aws.sessions()).toHaveLength(1);
  });

  test('a lost answer leaves a session that nobody holds, and trying again makes another with the same tags', async () => {
    aws.faults.queue(OPERATION, [{ kind: 'lost-answer' }]);
    await expect(assume()).rejects.toThrow('ECONNRESET');
    expect(aws.sessions()).toHaveLength(1);
    await assume();
    expect(aws.sessions().map(({ tags }) => tags['jc'])).toEqual(['c1', 'c1']);
  });

  test('a broken connection, an empty answer and a chosen refusal do nothing', async () => {
    aws.faults.queue(OPERATION, [
      { kind: 'reset' },
      { kind: 'status', status: 503 },
      { kind: 'error', code: 'IDPCommunicationError', message: 'try again', status: 400 },
    ]);
    await expect(assume()).rejects.toThrow('ECONNRESET');
    await expect(assume()).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });
    await expect(assume()).rejects.toMatchObject({ name: 'IDPCommunicationErrorException' });
    expect(aws.sessions()).toEqual([]);
  });

  test('what hangs is given up by the caller, and a delayed answer comes', async () => {
    const requestHandler = { requestTimeout: 100, throwOnRequestTimeout: true };
    aws.faults.always(() => ({ kind: 'hang' }));
    await expect(assume({}, sts(undefined, { requestHandler }))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    aws.faults.clear();
    aws.faults.queue(OPERATION, [{ kind: 'delay', ms: 20 }]);
    expect((await assume()).Credentials).toBeDefined();
  });
});

/** Text, and tags of it, that no packing makes much shorter. */
function chance(length: number): string {
  return randomBytes(length).toString('base64url').slice(0, length);
}
function noise(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, chance(60)]));
}
function unpackable(): string {
  const Resource = Array.from({ length: 30 }, () => `arn:aws:s3:::${chance(45)}`);
  return JSON.stringify({ Version: '2012-10-17', Statement: { ...allow('s3:*'), Resource } });
}
