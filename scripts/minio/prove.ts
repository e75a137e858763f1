/** Mint → read what was granted → be refused elsewhere → be dead at the deadline, a quarter of an hour before MinIO's own expiry. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { AUDIENCE as BROKER_AUDIENCE, LAB, startBroker } from '../bench/broker.js';
import { freePort } from '../free-port.js';
import { createSigner } from '../bench/issuer.js';
import { fromRoot } from '../bench/root.js';
import { AUDIENCE, openIam, openIssuer, openSts, REVOKER } from './around.js';
import type { Minio, Started } from './server.js';

const BUCKET = 'customer-data';
const LIFETIME_SECONDS = 30;
/** The longest wait for the first cutoff of the role on a new log, before which nothing is minted. */
const FENCE_WITHIN_MS = 30_000;

export async function proveOn(minio: Minio): Promise<{ passed: number; failed: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-minio-test-'));
  const issuer = await openIssuer(minio.issuerPort);
  const started = await minio.start(issuer.url, AUDIENCE);
  const iam = await openIam(issuer.url, started.role);
  const sts = await openSts(started.url, iam);
  const lab = await createSigner('minio-test');
  const broker = await startBroker({
    ...{ directory, store: 'lmdb:./store', lab, port: await freePort() },
    targets: [
      {
        resource: started.role,
        minter: 'aws-sts',
        aws: {
          region: 'us-east-1',
          issuer: issuer.url,
          revokerRole: REVOKER,
          stsEndpoint: sts.url,
          iamEndpoint: iam.url,
        },
      },
    ],
    more: { policy: { engine: 'cedar', directory: policiesFor(directory, started.role) } },
  });
  issuer.publish(broker.url);
  try {
    await fill(started);
    const [identity = ''] = await lab.tokens(1, () => ({ iss: LAB, sub: 'agent', aud: BROKER_AUDIENCE, team: 'sre' }));
    return await prove(started, (form) => sessionFrom(broker.url, { ...form, subject_token: identity }));
  } finally {
    await broker.end();
    for (const server of [sts, issuer]) server.close();
    await iam.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function prove({ url, role }: Started, mint: (form: Record<string, string>) => Promise<Keys>) {
  const keys = await mint({ resource: role, authorization_details: details(role), lifetime: String(LIFETIME_SECONDS) });
  const mine = await read(url, keys, 'tenant-42/a.txt');
  const theirs = await read(url, keys, 'tenant-43/a.txt');
  await pause(Math.max(0, Date.parse(keys.Expiration) + 1_000 - Date.now()));
  const late = await read(url, keys, 'tenant-42/a.txt');
  const outcomes: [string, boolean][] = [
    ['what was granted can be read', mine === 'read'],
    ['another key cannot', theirs === 'AccessDenied'],
    [
      `${LIFETIME_SECONDS} seconds later nothing can, though MinIO would keep the session for 900`,
      late === 'AccessDenied',
    ],
  ];
  for (const [what, holds] of outcomes) process.stdout.write(`${holds ? 'ok  ' : 'FAIL'} MinIO: ${what}\n`);
  if (outcomes.some(([, holds]) => !holds)) process.stdout.write(`     mine ${mine}, theirs ${theirs}, late ${late}\n`);
  const passed = outcomes.filter(([, holds]) => holds).length;
  return { passed, failed: outcomes.length - passed };
}

interface Keys {
  AccessKeyId: string;
  SecretAccessKey: string;
  SessionToken: string;
  Expiration: string;
}

async function sessionFrom(broker: string, wish: Record<string, string>): Promise<Keys> {
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    purpose: 'prove the deadline',
    ...wish,
  };
  const until = performance.now() + FENCE_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`${broker}/token`, { method: 'POST', body: new URLSearchParams(form) });
    const body = (await answer.json()) as { access_token?: string };
    if (answer.ok) return JSON.parse(body.access_token ?? '') as Keys;
    if (answer.status !== 503 || performance.now() > until) throw new Error(`not granted: ${JSON.stringify(body)}`);
    await pause(1_000);
  }
}

async function read(url: string, keys: Keys, object: string): Promise<string> {
  const credentials = {
    accessKeyId: keys.AccessKeyId,
    secretAccessKey: keys.SecretAccessKey,
    sessionToken: keys.SessionToken,
  };
  return clientOf(url, credentials)
    .send(new GetObjectCommand({ Bucket: BUCKET, Key: object }))
    .then(
      () => 'read',
      (error: unknown) => (error instanceof Error ? error.name : 'failed'),
    );
}

async function fill({ url, root }: Started): Promise<void> {
  const s3 = clientOf(url, root);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET })).catch(() => undefined); // It may exist from an earlier run.
  for (const Key of ['tenant-42/a.txt', 'tenant-43/a.txt'])
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'text' }));
}

const clientOf = (
  endpoint: string,
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
) => new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });

const details = (role: string): string =>
  JSON.stringify([
    {
      type: 'aws_session',
      locations: [role],
      actions: ['s3:GetObject'],
      identifier: `arn:aws:s3:::${BUCKET}/tenant-42/*`,
    },
  ]);

function policiesFor(directory: string, role: string): string {
  const policies = join(directory, 'policies');
  cpSync(fromRoot('config/policies'), policies, { recursive: true });
  const permit = `@id("minio") permit (principal in Issuer::"lab", action == Action::"s3:GetObject", resource in Target::"${role}");`;
  writeFileSync(join(policies, 'minio.cedar'), permit);
  return policies;
}
