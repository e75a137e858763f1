/** What a page of the inventory takes among 100,000 open tasks and as many workloads, on Redis and on LMDB; one request at a time. */
import { join } from 'node:path';
import type { StoreLocation } from '../../src/config/store-location.js';
import { newId, shardOf } from '../../src/domain/id.js';
import { formatEpoch } from '../../src/domain/liveness.js';
import type { Task } from '../../src/domain/task.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { birth } from '../../src/ledger/tasks.js';
import { remembering } from '../../src/ledger/workloads.js';
import { mergeChanges } from '../../src/store/record.js';
import type { Change } from '../../src/store/store.js';
import { AUDIENCE, LAB, startBroker, type Broker } from './broker.js';
import { cpuMicroseconds } from './child.js';
import type { Signer } from './issuer.js';
import { quantile } from './numbers.js';
import type { RedisServer } from './redis.js';
import { HOUR_MS, newTask, openLedger } from './seed.js';
import { table, targetTable, type Target } from './table.js';

interface InventoryWish {
  tasks: number;
  requests: number;
}

/** So many workloads work on the tasks, those of one team are neighbours, and one in a thousand tasks is for a person. */
const WORKLOADS = 20_000;
const TEAMS = 200;
const PERSONS_EVERY = 1_000;
const PURPOSES = 50;
const TREE = 200;
const TOGETHER = 100;
const PAGE_MOST = 500;
const WANTED_MS = 20;
const PREFIX = 'inventory:';

export async function measureInventory(
  directory: string,
  redis: RedisServer,
  lab: Signer,
  { tasks, requests }: InventoryWish,
): Promise<string> {
  const lmdb = join(directory, 'store');
  const [token = ''] = await lab.tokens(1, () => ({ iss: LAB, sub: 'soc', aud: AUDIENCE, team: 'soc' }));
  const root = newId('tsk');
  const measured: { engine: string; name: string; got: Got }[] = [];
  for (const [engine, location, store] of [
    ['Redis', { kind: 'redis', cluster: false, urls: [redis.url] }, redis.url],
    ['LMDB', { kind: 'lmdb', directory: lmdb }, `lmdb:${lmdb}`],
  ] satisfies [string, StoreLocation, string][]) {
    await fill(location, root, tasks);
    const broker = await startBroker({ directory, store, lab, more: { redis: { prefix: PREFIX } } });
    const pages = pagesOf(root, await middleOf(broker, token, tasks));
    for (const [name, path] of Object.entries(pages)) {
      await ask(broker, token, path, Math.ceil(requests / 5));
      const redisPid = engine === 'Redis' ? redis.pid : undefined;
      measured.push({ engine, name, got: await measure({ broker, token, path, requests, redisPid }) });
      process.stderr.write('.');
    }
    await broker.end();
  }
  process.stderr.write('\n');
  return report(tasks, measured);
}

/** The first page of each, and one in the middle. What fits nothing is looked for among all. */
const pagesOf = (root: string, middle: string) => ({
  'GET /tasks': '/tasks',
  'GET /tasks, in the middle': `/tasks?after=${middle}`,
  'GET /tasks?state=suspended, none': '/tasks?state=suspended',
  'GET /tasks?workload=': '/tasks?workload=lab:agent-7',
  'GET /tasks?principal=': '/tasks?principal=staff:ada',
  'GET /tasks?principal=, none': '/tasks?principal=staff:nobody',
  'GET /tasks?purpose=': '/tasks?purpose=purpose-7',
  'GET /tasks?purpose=, none': '/tasks?purpose=none',
  'GET /tasks/{id}/tree': `/tasks/${root}/tree`,
  'GET /workloads': '/workloads',
  'GET /workloads?owner=': '/workloads?owner=team-7',
  'GET /workloads?held=true, none': '/workloads?held=true',
  'GET /workloads?live=true&limit=10': '/workloads?live=true&limit=10',
  'GET /workloads/{id}': '/workloads/lab:agent-7',
  'GET /owners/{name}': '/owners/team-7',
});

/** Returns the cursor behind the first half: only by the pages before it is it found. */
async function middleOf({ url }: Broker, token: string, tasks: number): Promise<string> {
  let after = '';
  for (let passed = 0; passed < tasks / 2; passed += PAGE_MOST) {
    const more = after === '' ? '' : `&after=${after}`;
    const answer = await fetch(`${url}/tasks?limit=${PAGE_MOST}${more}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    ({ next: after = '' } = (await answer.json()) as { next?: string });
  }
  return after;
}

/** Pages of 100 that were asked for as the issue says it. What fits nothing is bounded, and so is what counts. */
const TARGETS: ReadonlySet<string> = new Set([
  'GET /tasks',
  'GET /tasks, in the middle',
  'GET /tasks?workload=',
  'GET /tasks?principal=',
  'GET /tasks?purpose=',
  'GET /tasks/{id}/tree',
  'GET /workloads',
  'GET /workloads?owner=',
]);

async function fill(location: StoreLocation, root: string, tasks: number): Promise<void> {
  const { ledger, close } = await openLedger(location, PREFIX);
  const epoch = formatEpoch((await ledger.log.look([])).epoch);
  const below = { lineage: [root], inherits: [] };
  const changes = [
    birth({ ...taskAt(ledger, 0, epoch), id: root }),
    ...upTo(TREE).map((place) => birth({ ...taskAt(ledger, place, epoch), ...below, id: newId('tsk', shardOf(root)) })),
    ...upTo(tasks).map((place) => birth(taskAt(ledger, place, epoch))),
    ...upTo(tasks).map((place) => remembering(workloadAt(place), undefined, ledger.clock.now() - place)),
  ];
  await commitTogether(ledger, changes);
  await close();
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, place) => place);

/** One by one, each would wait for the disk. */
async function commitTogether({ records }: Ledger, changes: readonly Change[]): Promise<void> {
  const byShard = new Map<string, Change[]>();
  for (const change of changes) {
    const [shard = ''] = (change.put?.[0]?.[0] ?? '').split('/');
    const ofShard = byShard.get(shard);
    if (ofShard) ofShard.push(change);
    else byShard.set(shard, [change]);
  }
  for (const ofShard of byShard.values())
    for (let start = 0; start < ofShard.length; start += TOGETHER)
      await records.commit(mergeChanges(...ofShard.slice(start, start + TOGETHER)));
}

const workloadAt = (place: number) => ({
  kind: 'workload' as const,
  id: `lab:agent-${place}`,
  issuer: 'lab',
  owner: `team-${place % TEAMS}`,
});

function taskAt({ clock }: Ledger, place: number, epoch: string): Task {
  const workload = workloadAt(place % WORKLOADS);
  const now = clock.now();
  return {
    ...newTask(now, workload.id, epoch),
    workload,
    purpose: `purpose-${place % PURPOSES}`,
    // Long enough for the measurement; the deadlines differ, as they do where tasks are opened over time.
    deadline: Math.ceil((now + HOUR_MS + place) / 1000) * 1000,
    ...(place % PERSONS_EVERY === 0 && { principal: { kind: 'person' as const, id: 'staff:ada', issuer: 'staff' } }),
  };
}

interface Got {
  p50: number;
  p99: number;
  cpuMs: number;
  redisCpuMs: number;
  rows: number;
}

interface Asked {
  broker: Broker;
  token: string;
  path: string;
  requests: number;
  redisPid: number | undefined;
}

async function measure({ broker, token, path, requests, redisPid }: Asked): Promise<Got> {
  const [cpu, redisCpu] = [cpuMicroseconds(broker.pid), redisPid === undefined ? 0 : cpuMicroseconds(redisPid)];
  const { latencies, rows } = await ask(broker, token, path, requests);
  const spent = (pid: number | undefined, before: number) =>
    pid === undefined ? 0 : (cpuMicroseconds(pid) - before) / requests / 1_000;
  return {
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpuMs: spent(broker.pid, cpu),
    redisCpuMs: spent(redisPid, redisCpu),
    rows,
  };
}

async function ask({ url }: Broker, token: string, path: string, requests: number) {
  const latencies: number[] = [];
  let rows = 0;
  for (let sent = 0; sent < requests; sent += 1) {
    const from = performance.now();
    const answer = await fetch(`${url}${path}`, { headers: { Authorization: `Bearer ${token}` } });
    const body = (await answer.json()) as Record<'tasks' | 'workloads', unknown[] | undefined>;
    latencies.push(performance.now() - from);
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(body)}`);
    rows = (body.tasks ?? body.workloads ?? []).length;
  }
  return { latencies: latencies.sort((a, b) => a - b), rows };
}

function report(tasks: number, measured: readonly { engine: string; name: string; got: Got }[]): string {
  const rows = measured.map(({ engine, name, got }) => [
    `${engine}, ${name}`,
    String(got.rows),
    ...[got.p50, got.p99, got.cpuMs].map((ms) => ms.toFixed(1)),
    engine === 'Redis' ? got.redisCpuMs.toFixed(1) : '',
  ]);
  const targets = measured
    .filter(({ name }) => TARGETS.has(name))
    .map(({ engine, name, got: { p50 } }): Target => [
      `${engine}, ${name}, p50`,
      `≤ ${WANTED_MS} ms`,
      p50,
      p50 <= WANTED_MS,
      ' ms',
    ]);
  const title = `inventory, ${tasks} open tasks and workloads`;
  return [table([title, 'rows', 'p50 ms', 'p99 ms', 'CPU ms', 'Redis CPU ms'], rows), targetTable(targets)].join(
    '\n\n',
  );
}
