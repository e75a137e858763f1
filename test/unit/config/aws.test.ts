/** AWS targets in the configuration: none that would let agents revoke, or prove themselves to AWS, is accepted. */
import { expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problem.js';
import { temporaryDirectory } from '../../support/directory.js';

const ROLE = 'arn:aws:iam::111122223333:role/jit/agent';
const REVOKER = 'arn:aws:iam::111122223333:role/jit-revoker';
const AWS = { region: 'eu-central-1', revokerRole: REVOKER };
const role = (aws: object = {}, resource: string = ROLE) => ({ resource, minter: 'aws-sts', aws: { ...AWS, ...aws } });

const inCloud = (partition: string, arn: string): string => arn.replace('arn:aws:', `arn:${partition}:`);
/** The path as IAM counts it, with the slashes at both ends. */
const pathOf = (pathCharacters: number, nameCharacters: number): string =>
  `arn:aws:iam::111122223333:role/${'p'.repeat(pathCharacters - 2)}/${'n'.repeat(nameCharacters)}`;
const NO_ROLE =
  'targets[0].resource: must be the ARN of an IAM role such as arn:aws:iam::111122223333:role/jit/agent, of letters, digits and + = , . @ _ - /; its path has at most 512 characters, its name 64';

const NO_REGION = 'targets[0].aws.region: must be a region such as eu-central-1';

const problems = (...targets: object[]): Promise<string[]> => problemsOf({ targets });

async function problemsOf(parts: object): Promise<string[]> {
  const path = join(temporaryDirectory(), 'mayfly.yaml');
  const trust = [{ name: 'lab', kind: 'oidc', issuer: 'https://lab.example' }];
  const policy = { engine: 'cedar', directory: '.' };
  writeFileSync(path, stringify({ issuer: 'https://mayfly.example', trust, policy, ...parts }));
  try {
    await loadConfig({ env: {}, path });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => `${problem.path}: ${problem.reason}`);
    throw error;
  }
  return [];
}

it.each<[string, object[]]>([
  ['a role, with what has no default', [role()]],
  [
    'a role of the European Sovereign Cloud, whose endpoints are known',
    [role({ region: 'eusc-de-east-1', revokerRole: inCloud('aws-eusc', REVOKER) }, inCloud('aws-eusc', ROLE))],
  ],
  [
    'roles of China and of GovCloud',
    [
      role({ region: 'cn-north-1', revokerRole: inCloud('aws-cn', REVOKER) }, inCloud('aws-cn', ROLE)),
      role({ region: 'us-gov-west-1', revokerRole: inCloud('aws-us-gov', REVOKER) }, inCloud('aws-us-gov', ROLE)),
    ],
  ],
  ['a role of the longest path and name', [role({}, pathOf(512, 64))]],
  ['a role far below other paths', [role({}, ROLE.replace('jit', 'a/b/c/d/e/f/g/h/i/j'))]],
  ['several roles of one account, with one revoker', [role(), role({}, `${ROLE}-2`)]],
  [
    'a role of another cloud, with both endpoints',
    [
      role(
        {
          stsEndpoint: 'http://127.0.0.1:9000',
          iamEndpoint: 'http://127.0.0.1:9001',
          revokerRole: 'arn:minio:iam:::role/r',
        },
        'arn:minio:iam:::role/abc',
      ),
    ],
  ],
])('takes %s', async (_, targets) => {
  expect(await problems(...targets)).toEqual([]);
});

it.each<[string, object[], string]>([
  [
    'a role of which JWTs are made',
    [{ resource: ROLE, minter: 'jwt' }],
    'targets[0].minter: must be aws-sts: the resource is an IAM role',
  ],
  ['what is no role', [role({}, 'arn:aws:iam::111122223333:user/x')], NO_ROLE],
  ['a path longer than of IAM', [role({}, pathOf(513, 64))], NO_ROLE],
  ['a name longer than of IAM', [role({}, pathOf(512, 65))], NO_ROLE],
  ["a path that is a wildcard in the revoker's policy", [role({}, ROLE.replace('jit', '*'))], NO_ROLE],
  ['a region that could be a host', [role({ region: 'eu-central-1.evil.example' })], NO_REGION],
  ['a region with a path', [role({ region: 'x/eu-central-1' })], NO_REGION],
  [
    'a region of another cloud than the role',
    [role({ region: 'eusc-de-east-1' })],
    'targets[0].aws.region: is a region of aws-eusc, and the role is in aws',
  ],
  [
    'a target whose tokens would prove the broker to AWS',
    [role({ audience: 'https://tickets.example' }), { resource: 'https://tickets.example', minter: 'jwt' }],
    'targets[0].aws.audience: is the resource of a target',
  ],
  [
    'a revoker role that agents can get',
    [role(), role({}, REVOKER)],
    'targets[0].aws.revokerRole: is a target: agents could revoke',
  ],
  [
    'a revoker in another account',
    [role({ revokerRole: 'arn:aws:iam::999900001111:role/jit-revoker' })],
    'targets[0].aws.revokerRole: is in another account than the target, whose policies it must write',
  ],
  [
    'a cloud that is not known, without endpoints',
    [
      role(
        { stsEndpoint: 'https://sts.example', revokerRole: 'arn:aws-iso:iam::111122223333:role/r' },
        ROLE.replace('aws', 'aws-iso'),
      ),
    ],
    "targets[0].aws.iamEndpoint: is missing: where the role's partition has it is not known here",
  ],
  [
    'an endpoint in clear text',
    [role({ stsEndpoint: 'http://sts.example' })],
    'targets[0].aws.stsEndpoint: must be an https URL (http only on loopback) without user or password',
  ],
  [
    'lifetimes that no clock can keep',
    [role({ lifetimeMax: 29 })],
    'targets[0].aws.lifetimeMax: Too small: expected number to be >=30',
  ],
])('refuses %s', async (_, targets, problem) => {
  expect((await problems(...targets)).filter((one) => one.startsWith('targets[0]'))).toEqual([problem]);
});

it.each([
  ['under another path', 'arn:aws:iam::111122223333:role/other/agent'],
  ['under no path', 'arn:aws:iam::111122223333:role/agent'],
  ['in another case', 'arn:aws:iam::111122223333:role/jit/Agent'],
])('refuses a second role of one name %s: their deny policies would be one', async (_, resource) => {
  const problem = 'targets[1].resource: has the name of another role: their deny policies would be one';
  expect(await problems(role(), role({}, resource))).toEqual([problem]);
});

it('takes one name in two accounts', async () => {
  const elsewhere = role({ revokerRole: REVOKER.replace('1111', '9999') }, ROLE.replace('1111', '9999'));
  expect(await problems(role(), elsewhere)).toEqual([]);
});

it('refuses clocks that differ by more than the cutoffs of roles allow for, where there are roles', async () => {
  const jwt = { resource: 'https://tickets.example', minter: 'jwt' };
  const withSkew = (clockSkew: number, ...targets: object[]) => problemsOf({ targets, lifetimes: { clockSkew } });
  const problem = 'lifetimes.clockSkew: is more than 5, the most that targets with minter aws-sts allow for';
  expect(await withSkew(6, jwt, role())).toEqual([problem]);
  expect(await withSkew(5, jwt, role())).toEqual([]);
  expect(await withSkew(6, jwt)).toEqual([]);
});
