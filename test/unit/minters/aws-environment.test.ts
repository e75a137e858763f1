/** Neither the environment nor ~/.aws may redirect the minter or break it, though the SDK of AWS looks there by default. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsTarget } from '../../../src/config/target-schema.js';
import { realClock } from '../../support/clock.js';
import { openKeys } from '../../../src/keys/keys.js';
import { createAwsMinter } from '../../../src/minters/aws/minter.js';
import type { Minter } from '../../../src/minters/minter.js';
import { agentArn, agentRole, revokerArn, revokerRole } from '../../../fakes/aws/example-roles.js';
import { startLoopbackAws, type LoopbackAws } from '../../../fakes/aws/server.js';
import { modelStore } from '../../support/search/model-store.js';
import { noProxy } from '../../../src/outbound/proxy.js';

const issuer = 'http://127.0.0.1:8080';
const account = '111122223333';
const audience = 'sts.amazonaws.com';
const role = agentArn(account);

const before = { ...process.env };
let directory: string;
let thief: Server;
let stolen = 0;
let aws: LoopbackAws;
let minter: Minter;

beforeAll(async () => {
  thief = createServer((_, response) => {
    stolen += 1;
    response.end();
  });
  thief.listen(0, '127.0.0.1');
  await once(thief, 'listening');
  const url = `http://127.0.0.1:${(thief.address() as AddressInfo).port}`;
  directory = await mkdtemp(join(tmpdir(), 'aws-environment-'));
  const file = join(directory, 'config');
  const bad = `endpoint_url = ${url}\nregion = nowhere-1\nmax_attempts = x\nretry_mode = x\ndefaults_mode = x\nuse_fips_endpoint = x`;
  await writeFile(
    file,
    `[default]\n${bad}\nservices = s\n[services s]\nsts =\n  endpoint_url = ${url}\n[profile other]\n${bad}\n`,
  );
  Object.assign(process.env, {
    ...{ AWS_ENDPOINT_URL: url, AWS_ENDPOINT_URL_STS: url, AWS_ENDPOINT_URL_IAM: url },
    ...{ AWS_CONFIG_FILE: file, AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'missing', HOME: directory },
    ...{ AWS_REGION: 'nowhere-1', AWS_DEFAULT_REGION: 'nowhere-1', AWS_MAX_ATTEMPTS: 'x', AWS_RETRY_MODE: 'x' },
    ...{ AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true', AWS_DEFAULTS_MODE: 'x' },
    ...{ AWS_STS_REGIONAL_ENDPOINTS: 'legacy', AWS_AUTH_SCHEME_PREFERENCE: 'x', AWS_SDK_UA_APP_ID: 'thief' },
    ...{ AWS_SIGV4A_SIGNING_REGION_SET: 'x', AWS_EXECUTION_ENV: 'x', AWS_ACCOUNT_ID_ENDPOINT_MODE: 'x' },
    ...{ AWS_ACCESS_KEY_ID: 'AKIAAMBIENT', AWS_SECRET_ACCESS_KEY: 'ambient', AWS_SESSION_TOKEN: 'ambient' },
    ...{ AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role, AWS_EC2_METADATA_SERVICE_ENDPOINT: url },
    ...{ HTTP_PROXY: url, HTTPS_PROXY: url, http_proxy: url, NODE_USE_ENV_PROXY: '1' },
  });
  await startMinter();
});

async function startMinter(): Promise<void> {
  const { records } = modelStore(realClock);
  const keys = await openKeys({ records, clock: realClock, keyEncryptionKey: randomBytes(32), rotationDays: 30 });
  const wish = { account, audience, issuerName: issuer.replace('http://', '') };
  aws = await startLoopbackAws({
    account,
    roles: [agentRole(wish), revokerRole(wish)],
    providers: [{ issuer, clientIds: [audience], jwks: () => keys.jwks() }],
    propagationMs: 0,
    now: () => realClock.now(),
  });
  const target: AwsTarget = {
    ...{ resource: role, minter: 'aws-sts', labels: [], tags: {} },
    aws: {
      ...{ region: 'eu-central-1', audience, revokerRole: revokerArn(account), wholeRole: false, context: false },
      ...{ lifetimeMax: 3_600, mintsPerSecond: 50, stsEndpoint: aws.url, iamEndpoint: aws.url },
    },
  };
  minter = createAwsMinter({
    ...{ targets: [target], keys, issuer, clock: realClock, proxyFor: noProxy, warn: () => undefined },
  });
}

afterAll(async () => {
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, before);
  await aws.close();
  thief.close();
  await rm(directory, { recursive: true });
});

it('a hostile environment redirects and breaks nothing', async () => {
  const now = realClock.now();
  const minted = await minter.mint(
    {
      ...{ id: 'crd_aaeeeeeeeeeeeeee', task: 'tsk_aabbbbbbbbbbbbbb', kind: 'aws-sts', target: role, epoch: 'gen.1' },
      ...{ access: [], issuedAt: now, expiresAt: now + 60_000, state: 'reserved' },
    },
    {
      ...{
        id: 'tsk_aabbbbbbbbbbbbbb',
        lineage: [],
        purpose: 'p',
        purposeFrom: 'agent',
        epoch: 'gen.1',
        credentials: [],
      },
      ...{ workload: { kind: 'workload', id: 'lab:a', issuer: 'lab' }, openedAt: now, deadline: now + 60_000 },
      ...{ suspensions: 0, suspended: false, revision: 0 },
    },
  );
  const denials = { credentials: ['crd_aaeeeeeeeeeeeeee'], tasks: [], workloads: [] };
  await minter.enforcer!.enforce(role, denials, 1);
  expect(await minter.enforcer!.isInForce(role, denials, 1)).toBe(true);
  expect(aws.sessions()[0]).toMatchObject({ id: minted.handle });
  expect(stolen).toBe(0);
});

it('and it is hostile: a client that does not get every setting hands the proof to whom the environment names', async () => {
  const told = { region: 'eu-central-1', useFipsEndpoint: false, useDualstackEndpoint: false } as const;
  const client = new STSClient({ ...told, defaultsMode: 'standard', maxAttempts: 1, retryMode: 'standard' });
  const command = new AssumeRoleWithWebIdentityCommand({
    RoleArn: role,
    RoleSessionName: 'x1',
    WebIdentityToken: 'proof',
  });
  await client.send(command).catch(() => undefined);
  expect(stolen).toBe(1);
});
