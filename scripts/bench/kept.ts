/** What stays in Redis of a task that has ended, by how long it stays, and so what so many tasks a second cost in a month. */
import { AUDIENCE, LAB, startBroker, TARGET, type Broker } from './broker.js';
import { many, type Signer } from './issuer.js';
import { post } from './load.js';
import type { RedisServer } from './redis.js';
import { table } from './table.js';

/** Requests at once. Under more of them, more audit lines share a record. */
const AT_ONCE = 10;
const SECONDS_A_DAY = 86_400;
/** Tasks a second, and days for which audit lines are kept. */
const LOADS = [0.1, 1, 10];
const RETENTIONS = [1, 7, 30];

/** What a key is part of, by its name. */
const PARTS = {
  'records of task and credential, for a day': (key: string) =>
    /^mayfly:\{[ab][a-z2-7]\}|^mayfly:\{log\}!id:/.test(key),
  'audit lines, for `audit.retentionDays`': (key: string) => key.startsWith('mayfly:{audit}'),
  'the revocation log, 100,000 entries in all': (key: string) => key === 'mayfly:{log}!entries',
  'its tombstone, until the deadline': (key: string) => key === 'mayfly:{log}!tombstones',
};

export async function measureKept(directory: string, redis: RedisServer, lab: Signer, tasks: number): Promise<string> {
  const broker = await startBroker({ directory, store: redis.url, lab });
  const [token = ''] = await lab.tokens(1, () => ({ iss: LAB, sub: 'agent-1', aud: AUDIENCE, team: 'sre' }));
  const before = await sizes(redis);
  const usedBefore = await redis.usedMemory();
  await many(tasks, (index) => finished(broker, token, index), AT_ONCE);
  await broker.end(); // What follows the log, and the last audit lines, are written by now.
  const [after, used] = [await sizes(redis), await redis.usedMemory()];
  const each = after.map((bytes, part) => (bytes - (before[part] ?? 0)) / tasks);
  const [records = 0, audit = 0] = each;
  const rows = [...Object.keys(PARTS).map((part, index) => [part, (each[index] ?? 0).toFixed(0)])];
  rows.push(['all of it, by `used_memory`', ((used - usedBefore) / tasks).toFixed(0)]);
  const gib = (perSecond: number, days: number) =>
    ((perSecond * SECONDS_A_DAY * (records + audit * days)) / 2 ** 30).toFixed(perSecond < 1 ? 2 : 1);
  return [
    table(['of a finished task with one credential', 'bytes'], rows),
    table(
      ['tasks a second', ...RETENTIONS.map((days) => `GiB with ${days} d of audit`)],
      LOADS.map((perSecond) => [String(perSecond), ...RETENTIONS.map((days) => gib(perSecond, days))]),
    ),
  ].join('\n\n');
}

/** Opens a task with its credential, and completes it. */
async function finished({ url }: Broker, token: string, index: number): Promise<void> {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    resource: TARGET,
    scope: `incident/${4711 + index}:read`,
    purpose: 'summarise the incident',
  });
  const opened = await post(`${url}/token`, {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  });
  if (opened.status !== 200) throw new Error(`the exchange was answered ${opened.status}: ${opened.text}`);
  const { task_id: task } = JSON.parse(opened.text) as { task_id: string };
  const completed = await post(`${url}/tasks/${task}/complete`, {
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: '{"outcome":"completed"}',
  });
  if (completed.status !== 200) throw new Error(`completing was answered ${completed.status}: ${completed.text}`);
}

/** Returns the bytes of all keys of each part. */
async function sizes({ client }: RedisServer): Promise<number[]> {
  const sums = Object.values(PARTS).map(() => 0);
  for await (const keys of client.scanStream({ count: 10_000 }) as AsyncIterable<string[]>) {
    for (const key of keys) {
      const part = Object.values(PARTS).findIndex((has) => has(key));
      if (part !== -1) sums[part] = (sums[part] ?? 0) + ((await client.memory('USAGE', key, 'SAMPLES', 0)) ?? 0);
    }
  }
  return sums;
}
