import { describe, expect, it } from '@jest/globals';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountSetup } from '../../../src/cli/aws/account-setup.js';
import { sizeOf } from '../../../src/cli/aws/policies.js';
import { run } from '../../../src/cli/run.js';
import { BASE_POLICY_CHARACTERS } from '../../../src/targets/aws.js';
import { permissionVerdict, trustVerdict, type PolicyRequest } from '../../../fakes/aws/evaluate.js';
import { parsePolicy, parseTrust } from '../../../fakes/aws/policy-document.js';
import { handClock } from '../../support/clock.js';

const ACCOUNT = 'arn:aws:iam::111122223333';
const AGENT = `${ACCOUNT}:role/jit/agent-exec`;
const OTHER = `${ACCOUNT}:role/agent.reads`;
const REVOKER = `${ACCOUNT}:role/jit-revoker`;
const PROVIDER = `${ACCOUNT}:oidc-provider/jit.example.com`;

interface Over {
  issuer?: string;
  /** Of the first target. */
  aws?: string;
  /** Of the second. */
  other?: string;
}

/** Two targets of one account, one of another, and an API. */
async function configuration({ issuer = 'https://jit.example.com', aws = '', other = '' }: Over = {}): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'mayfly-aws-')), 'mayfly.yaml');
  const settings = `region: eu-central-1, revokerRole: "${REVOKER}"`;
  await writeFile(
    file,
    `issuer: ${issuer}
trust: [{ name: lab, kind: oidc, issuer: https://lab.example, jwks: { file: ./jwks.json } }]
targets:
  - { resource: https://tickets.example, minter: jwt }
  - { resource: "${AGENT}", minter: aws-sts, aws: { ${settings}${aws} } }
  - { resource: "${OTHER}", minter: aws-sts, aws: { ${settings}, audience: reads${other} } }
  - resource: arn:aws:iam::444455556666:role/agent
    minter: aws-sts
    aws: { region: eu-central-1, audience: elsewhere, revokerRole: "arn:aws:iam::444455556666:role/r" }
policy: { engine: cedar, directory: ./policies }
`,
  );
  return file;
}

async function setup(argv: string[] = [], over: Over = {}): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const terminal = { out: (text: string) => out.push(text), err: (text: string) => err.push(text), clock: handClock() };
  const code = await run(['aws', 'setup', '-c', await configuration(over), '--target', AGENT, ...argv], terminal);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

async function documents(argv: string[] = [], over: Over = {}): Promise<AccountSetup> {
  const { code, out, err } = await setup(argv, over);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as AccountSetup;
}

const inspect = ['--action', 's3:Get*', 's3:ListBucket', '--on', 'arn:aws:s3:::data', 'arn:aws:s3:::data/*'];

describe('mayfly aws setup', () => {
  it('prints who may assume the role: workloads, with every tag that ends a session', async () => {
    const { role } = await documents();
    expect(role).toMatchObject({ RoleName: 'agent-exec', Path: '/jit/', MaxSessionDuration: 3_600 });
    expect(role.PermissionsBoundary).toBe(`${ACCOUNT}:policy/jit/agent-exec-boundary`);
    expect(role.AssumeRolePolicyDocument.Statement).toEqual([
      {
        Sid: 'Agents',
        Effect: 'Allow',
        Principal: { Federated: PROVIDER },
        Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'],
        Condition: {
          StringEquals: { 'jit.example.com:aud': 'sts.amazonaws.com' },
          StringLike: {
            'jit.example.com:sub': 'wl:*',
            'aws:RequestTag/jc': '?*',
            'aws:RequestTag/jt': '?*',
            'aws:RequestTag/jw': '?*',
          },
        },
      },
    ]);
  });

  it('prints the provider with every audience of the account', async () => {
    const { oidcProvider } = await documents();
    expect(oidcProvider).toEqual({ Url: 'https://jit.example.com', ClientIDList: ['sts.amazonaws.com', 'reads'] });
  });

  it('prints a revoker that writes to the roles it is configured for, under their boundaries', async () => {
    const { revokerRole } = await documents();
    const boundaries = [`${ACCOUNT}:policy/jit/agent-exec-boundary`, `${ACCOUNT}:policy/agent.reads-boundary`];
    expect(revokerRole).toMatchObject({ RoleName: 'jit-revoker', Path: '/', Policy: { PolicyName: 'JitRevoker' } });
    expect(revokerRole.Policy.PolicyDocument.Statement).toEqual([
      {
        Sid: 'Write',
        Effect: 'Allow',
        Action: ['iam:PutRolePolicy', 'iam:DeleteRolePolicy'],
        Resource: [AGENT, OTHER],
        Condition: { StringEquals: { 'iam:PermissionsBoundary': boundaries } },
      },
      { Sid: 'Read', Effect: 'Allow', Action: ['iam:GetRolePolicy'], Resource: [AGENT, OTHER] },
    ]);
    expect(revokerRole.AssumeRolePolicyDocument.Statement.map(({ Condition }) => Condition)).toEqual(
      ['sts.amazonaws.com', 'reads'].map((audience) => ({
        StringEquals: { 'jit.example.com:aud': audience, 'jit.example.com:sub': 'broker:revoker' },
      })),
    );
  });

  it('says everything of the base policy again in the boundary, where the revoker cannot write', async () => {
    const { role, permissionsBoundary } = await documents(inspect);
    const [base, boundary] = [role.Policy.PolicyDocument.Statement, permissionsBoundary.PolicyDocument.Statement];
    expect(base.map(({ Sid }) => Sid)).toEqual(['Base', 'G1', 'G2']);
    expect(boundary.slice(0, 2)).toEqual(base.slice(0, 2));
    expect(boundary[2]?.Action).toEqual(expect.arrayContaining([...base[2]!.Action]));
  });

  it('leaves the deny policy its room', async () => {
    const { role } = await documents();
    expect(role.Policy.PolicyDocument.Statement[0]).toMatchObject({ Sid: 'ReplaceMe', Action: ['s3:GetObject'] });
    expect(sizeOf(role.Policy.PolicyDocument)).toBeLessThanOrEqual(BASE_POLICY_CHARACTERS);
    const { code, out, err } = await setup(['--action', 's3:GetObject', '--on', `arn:aws:s3:::${'x'.repeat(300)}`]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/would have \d+ characters, and may have 700/);
  });

  it('names the issuer that AWS fetches the keys from, and the revoker of targets at different ones comes from each', async () => {
    const { oidcProvider, revokerRole } = await documents([], { aws: ', issuer: https://keys.example' });
    expect(oidcProvider).toEqual({ Url: 'https://keys.example', ClientIDList: ['sts.amazonaws.com'] });
    expect(revokerRole.AssumeRolePolicyDocument.Statement.map(({ Principal }) => Principal)).toEqual([
      { Federated: `${ACCOUNT}:oidc-provider/keys.example` },
      { Federated: PROVIDER },
    ]);
  });

  it('with --context maps for whom a session is, once every role at the provider says so', async () => {
    const { code, err } = await setup(['--context'], { aws: ', context: true' });
    expect(code).toBe(1);
    expect(err).toContain(`--context: set aws.context: true of ${OTHER} first, and restart the brokers.`);
    const { oidcProvider } = await documents(['--context'], { aws: ', context: true', other: ', context: true' });
    expect(oidcProvider).toHaveProperty('ContextProvider', {
      SubjectSourceKey: 'mayfly_subject',
      SubjectTypeSourceKey: 'mayfly_subject_type',
      KeyDefinitionList: [
        { SourceKey: 'mayfly_task', TargetKey: 'task' },
        { SourceKey: 'mayfly_purpose', TargetKey: 'purpose' },
      ],
    });
    expect((await setup(['--context', '--terraform'])).code).toBe(1);
    expect(await documents([], { aws: ', context: true' })).not.toHaveProperty('oidcProvider.ContextProvider');
  });

  it.each(['https://jit.example.com:8443', 'http://127.0.0.1:8080'])(
    'refuses the issuer %s, and says what to do',
    async (issuer) => {
      const { code, out, err } = await setup([], { issuer });
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toMatch(/has to be https, without a port\. Publish .* set it as `aws\.issuer`/);
    },
  );

  it.each([
    [['--target', `${ACCOUNT}:role/nobody`], `no target ${ACCOUNT}:role/nobody with minter aws-sts; it has ${AGENT}`],
    [['--target', 'https://tickets.example'], 'no target https://tickets.example with minter aws-sts'],
    [['--action', 's3:GetObject'], '--action and --on go together'],
    [['--on', '*'], '--action and --on go together'],
    [['--action', 's3', '--on', '*'], 'is written <service>:<Action>'],
    [['--action', '*', '--on', '*'], 'is written <service>:<Action>'],
    [['--action', 'iam:PassRole', '--on', '*'], 'denied by the guards'],
    [['--action', 'sts:*', '--on', '*'], 'denied by the guards'],
    [['--action', 'kms:createGrant', '--on', '*'], 'denied by the guards'],
    [['--action', 's3:PutBucketPolicy', '--on', '*'], 'denied by the guards'],
    [['--action', 's3:GetObject', '--on', 'data/*'], 'is "*" or the ARN of a resource'],
    [['--action', 's3:GetObject', '--on', 'arn:aws-cn:s3:::data'], 'beginning with arn:aws:'],
  ])('refuses %j', async (argv, reason) => {
    const { code, out, err } = await setup(argv);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(reason);
  });
});

describe('mayfly aws setup --terraform', () => {
  type Resources = Record<string, Record<string, Record<string, unknown>>>;
  const terraform = async (argv: string[] = inspect): Promise<Resources> => {
    const { out } = await setup([...argv, '--terraform']);
    return (JSON.parse(out) as { resource: Resources }).resource;
  };
  /** As Terraform reads a string of its JSON syntax: `${…}` is an expression, `$${` stands for itself. */
  const expressionsIn = (value: unknown): string[] =>
    [...JSON.stringify(value).matchAll(/(?<![$%])[$%]\{(.*?)\}/g)].map(([, inner = '']) => inner);
  const read = (value: unknown): unknown => JSON.parse(String(value).replaceAll(/([$%])\1\{/g, '$1{'));

  it('makes the provider, the boundary, and both roles, each inline policy as a resource of its own', async () => {
    const [resources, { oidcProvider, permissionsBoundary, role, revokerRole }] = await Promise.all([
      terraform(),
      documents(inspect),
    ]);
    expect(
      Object.entries(resources).map(([type, named]) => [
        type,
        Object.entries(named).map(([name, { policy, assume_role_policy, ...rest }]) => [
          name,
          { ...rest, documents: [assume_role_policy, policy].flatMap((one) => (one === undefined ? [] : [read(one)])) },
        ]),
      ]),
    ).toEqual([
      [
        'aws_iam_openid_connect_provider',
        [['mayfly', { url: oidcProvider.Url, client_id_list: oidcProvider.ClientIDList, documents: [] }]],
      ],
      [
        'aws_iam_policy',
        [
          [
            'agent_exec_boundary',
            { name: 'agent-exec-boundary', path: '/jit/', documents: [permissionsBoundary.PolicyDocument] },
          ],
        ],
      ],
      [
        'aws_iam_role',
        [
          [
            'agent_exec',
            {
              ...{ name: 'agent-exec', path: '/jit/', max_session_duration: 3_600 },
              depends_on: ['aws_iam_openid_connect_provider.mayfly'],
              permissions_boundary: '${aws_iam_policy.agent_exec_boundary.arn}',
              documents: [role.AssumeRolePolicyDocument],
            },
          ],
          [
            'jit_revoker',
            {
              ...{ name: 'jit-revoker', path: '/', max_session_duration: 3_600 },
              depends_on: ['aws_iam_openid_connect_provider.mayfly'],
              documents: [revokerRole.AssumeRolePolicyDocument],
            },
          ],
        ],
      ],
      [
        'aws_iam_role_policy',
        [
          [
            'agent_exec',
            { name: 'JitBase', role: '${aws_iam_role.agent_exec.name}', documents: [role.Policy.PolicyDocument] },
          ],
          [
            'jit_revoker',
            {
              ...{ name: 'JitRevoker', role: '${aws_iam_role.jit_revoker.name}' },
              documents: [revokerRole.Policy.PolicyDocument],
            },
          ],
        ],
      ],
    ]);
  });

  it('refers only to what it makes', async () => {
    const resources = await terraform();
    const made = Object.entries(resources).flatMap(([type, named]) => Object.keys(named).map((n) => `${type}.${n}`));
    const dependencies = Object.values(resources['aws_iam_role']!).flatMap(({ depends_on }) => depends_on as string[]);
    const referred = [...dependencies, ...expressionsIn(resources).map((one) => one.replace(/\.(arn|name)$/, ''))];
    expect(referred).toHaveLength(5);
    for (const name of referred) expect(made).toContain(name);
  });

  it('leaves variables of IAM to IAM', async () => {
    const own = 'arn:aws:s3:::data/${aws:PrincipalTag/jt}/*';
    const { aws_iam_policy: policies } = await terraform(['--action', 's3:GetObject', '--on', own]);
    const { policy } = policies!['agent_exec_boundary']!;
    expect(policy).toContain('data/$${aws:PrincipalTag/jt}/*');
    expect(expressionsIn(policy)).toEqual([]);
    expect(read(policy)).toMatchObject({ Statement: [{ Resource: [own] }, {}, {}] });
  });

  it('never manages all inline policies of a role: that would delete the revocations', async () => {
    expect((await setup(['--terraform'])).out).not.toMatch(/inline_policy|exclusive/);
  });
});

describe('what is printed, as IAM would judge it', () => {
  const tags = { 'aws:RequestTag/jc': 'k3v9', 'aws:RequestTag/jt': 't8d2', 'aws:RequestTag/jw': 'w1@7' };
  const proof = (sub: string, more: Record<string, string> = tags) => ({
    'jit.example.com:aud': 'sts.amazonaws.com',
    'jit.example.com:sub': sub,
    ...more,
  });
  const assuming = async (which: 'role' | 'revokerRole', context: Record<string, string>, provider = PROVIDER) => {
    const trust = parseTrust((await documents())[which].AssumeRolePolicyDocument);
    const action = 'sts:AssumeRoleWithWebIdentity';
    return trustVerdict(trust, { action, type: 'Federated', principals: [provider], context });
  };
  /** By the base policy and the boundary, each for itself. */
  const inSession = async (request: PolicyRequest) => {
    const { role, permissionsBoundary } = await documents(inspect);
    return [role.Policy.PolicyDocument, permissionsBoundary.PolicyDocument].map((document) =>
      permissionVerdict(parsePolicy(document), request),
    );
  };
  const tagged = { 'aws:PrincipalTag/jc': 'k3v9' };

  it('a workload assumes the role, and only with all tags', async () => {
    expect(await assuming('role', proof('wl:x'))).toBe('allow');
    for (const missing of Object.keys(tags)) {
      const context = Object.fromEntries(Object.entries(proof('wl:x')).filter(([key]) => key !== missing));
      expect(await assuming('role', context)).toBe('implicit-deny');
    }
    expect(await assuming('role', { ...proof('wl:x'), 'aws:RequestTag/jt': '' })).toBe('implicit-deny');
  });

  it('the revoker does not assume the role, nor does whoever has another sub, audience or issuer', async () => {
    for (const sub of ['broker:revoker', 'lab:agent-7', 'x:wl:y'])
      expect(await assuming('role', proof(sub))).toBe('implicit-deny');
    expect(await assuming('role', { ...proof('wl:x'), 'jit.example.com:aud': 'reads' })).toBe('implicit-deny');
    expect(await assuming('role', proof('wl:x'), `${ACCOUNT}:oidc-provider/evil.example`)).toBe('implicit-deny');
  });

  it('a workload does not assume the revoker role, nor does a name like the revoker', async () => {
    expect(await assuming('revokerRole', proof('broker:revoker', {}))).toBe('allow');
    for (const sub of ['wl:x', 'broker:revoker2', 'broker:*', 'wl:broker:revoker'])
      expect(await assuming('revokerRole', proof(sub, {}))).toBe('implicit-deny');
  });

  it('a session without tags is denied everything, by the role and by its boundary', async () => {
    for (const [action, resource] of [
      ['s3:GetObject', 'arn:aws:s3:::data/a'],
      ['ec2:DescribeInstances', '*'],
    ] as const)
      expect(await inSession({ action, resource, context: {} })).toEqual(['explicit-deny', 'explicit-deny']);
  });

  it('a session with tags may what the command line says, and nothing else', async () => {
    const ask = (action: string, resource: string) => inSession({ action, resource, context: tagged });
    expect(await ask('s3:GetObject', 'arn:aws:s3:::data/a')).toEqual(['allow', 'allow']);
    expect(await ask('s3:GetObject', 'arn:aws:s3:::other/a')).toEqual(['implicit-deny', 'implicit-deny']);
    expect(await ask('s3:PutObject', 'arn:aws:s3:::data/a')).toEqual(['implicit-deny', 'implicit-deny']);
    for (const action of ['iam:PutRolePolicy', 'sts:AssumeRole', 's3:GetDataAccess', 'organizations:LeaveOrganization'])
      expect(await ask(action, '*')).toEqual(['explicit-deny', 'explicit-deny']);
  });

  it('the revoker writes the policy of its roles, of no other, and never without the boundary', async () => {
    const { revokerRole, role } = await documents();
    const policy = parsePolicy(revokerRole.Policy.PolicyDocument);
    const boundary = { 'iam:PermissionsBoundary': role.PermissionsBoundary };
    const ask = (action: string, resource: string, context = {}) =>
      permissionVerdict(policy, { action, resource, context });
    for (const action of ['iam:PutRolePolicy', 'iam:DeleteRolePolicy']) {
      expect(ask(action, AGENT, boundary)).toBe('allow');
      expect(ask(action, AGENT)).toBe('implicit-deny');
      expect(ask(action, AGENT, { 'iam:PermissionsBoundary': 'arn:aws:iam::aws:policy/AdministratorAccess' })).toBe(
        'implicit-deny',
      );
      for (const role of [`${AGENT}2`, REVOKER, `${ACCOUNT}:role/admin`])
        expect(ask(action, role, boundary)).toBe('implicit-deny');
    }
    expect(ask('iam:GetRolePolicy', AGENT)).toBe('allow');
    for (const action of ['iam:DeleteRolePermissionsBoundary', 'iam:UpdateAssumeRolePolicy', 'iam:AttachRolePolicy'])
      expect(ask(action, AGENT, boundary)).toBe('implicit-deny');
  });
});
