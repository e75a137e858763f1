/** An unmodified AWS SDK in another process finds its credentials at the broker, asks again in time, and is stopped by the end of the task. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { awsCredentialsFor, mayfly, TaskEnded } from '../../src/client/index.js';
import { BUCKET, details, ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';
import { temporaryDirectory } from '../support/directory.js';
import { until } from '../support/until.js';

interface Sdk {
  /** What it answers to GetCallerIdentity, by the clock of the broker, after so many seconds. */
  call(afterSeconds?: number): Promise<{ arn?: string; error?: string }>;
}

/** The default chain tries everything else as well, and does not pass on what the broker said. */
const NOTHING_FOUND = { error: expect.stringMatching(/^CredentialsProviderError: Could not load credentials/) };

let broker: AwsBroker;
beforeAll(async () => (broker = await startAwsBroker()));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill();
});

/** The client gets an endpoint of AWS, and everything else from its environment. */
async function startSdk(query: string, token: () => Promise<string>): Promise<Sdk> {
  const file = join(temporaryDirectory(), 'token');
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: temporaryDirectory(),
    AWS_REGION: 'eu-central-1',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${broker.url}/aws/credentials/${encodeURIComponent(ROLE)}?${query}`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
  };
  const script = resolve('test/support/aws-sdk-child.mjs');
  const child = spawn(process.execPath, [script, broker.aws.url], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  children.push(child);
  await once(child, 'spawn');
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async call(afterSeconds = 0) {
      await broker.advance(afterSeconds * 1_000);
      await broker.pass(1);
      writeFileSync(file, await token());
      child.stdin.write(`${broker.clock.now()}\n`);
      return JSON.parse(String((await answers.next()).value)) as { arn?: string; error?: string };
    },
  };
}

const minted = () => broker.aws.sessions().filter(({ role }) => role === ROLE);
const theLatest = () => ({
  arn: `arn:aws:sts::111122223333:assumed-role/agent-0/${minted().at(-1)?.roleSessionName ?? ''}`,
});

it('is who the broker says it is, keeps what lasts, asks again before it ends, and gets nothing once the task is completed', async () => {
  const access = JSON.parse(details(`${BUCKET}/tenant-42/*`)) as object[];
  const task = await broker.open('agent-7', { access, deadlineSeconds: 28_800 });
  const sdk = await startSdk(`task=${task}`, () => broker.identity('agent-7'));
  const first = await sdk.call();
  expect(first).toEqual(theLatest());
  expect(await sdk.call(3_000)).toEqual(first);
  expect(minted()).toHaveLength(1);

  // Within five minutes of the end the SDK fetches new ones beside the call, for the next one.
  await sdk.call(400);
  await until(() => minted().length === 2, 'the SDK has not asked again');
  await until(async () => (await sdk.call()).arn !== first.arn, 'the SDK does not use what it has got');
  expect(await sdk.call()).toEqual(theLatest());

  await broker.complete(task);
  const before = minted().length;
  expect(await sdk.call(4_000)).toEqual(NOTHING_FOUND);
  expect(minted()).toHaveLength(before);
  expect(broker.logged()).toContain('The task has ended: completed.');
});

it('works by a token of the broker for this endpoint, and ends with it', async () => {
  const agent = await broker.identity('agent-7');
  const wish = { resource: `${broker.url}/aws/credentials`, scope: `${ROLE}:execute`, lifetime: '900' };
  const { access_token: token } = (await broker.exchange(agent, wish)).body as { access_token: string };
  const query = new URLSearchParams({ authorization_details: details(`${BUCKET}/a`) });
  const sdk = await startSdk(String(query), () => Promise.resolve(token));
  expect(await sdk.call()).toEqual(theLatest());
  await broker.form('/revoke', { token }, { authorization: `Bearer ${agent}` });
  const before = minted().length;
  expect(await sdk.call(600)).toHaveProperty('arn'); // GetCallerIdentity is what AWS can deny to nobody.
  expect(await sdk.call(400)).toEqual(NOTHING_FOUND);
  expect(minted()).toHaveLength(before);
});

it('takes sessions of a task from the client, an hour each, and none once the task has ended', async () => {
  const token = await broker.identity('agent-7', { expiresInSeconds: 86_400 });
  const task = await mayfly({ url: broker.url, identity: () => token }).task({ purpose: 'summarise' });
  const access = JSON.parse(details(`${BUCKET}/tenant-42/*`)) as object[];
  const credentials = awsCredentialsFor(task, ROLE, access);
  const client = new STSClient({ region: 'eu-central-1', endpoint: broker.aws.url, credentials });
  expect(await client.send(new GetCallerIdentityCommand({}))).toMatchObject({ Arn: theLatest().arn });
  // The SDK compares it with the clock of this machine, which may be wrong.
  for (const hours of [-1, 0, 1]) {
    const now = Date.now() + hours * 3_600_000;
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now);
    const left = (await credentials()).expiration.getTime() - now;
    clock.mockRestore();
    expect(left).toBeGreaterThan(3_000_000);
    expect(left).toBeLessThanOrEqual(3_600_000);
  }
  await task.complete();
  await expect(credentials()).rejects.toBeInstanceOf(TaskEnded);
});
