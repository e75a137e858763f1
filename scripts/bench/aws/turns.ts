/** What one turn of the reconciler costs: everything but the call to IAM. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { StoreLocation } from '../../../src/config/store-location.js';
import type { RedisServer } from '../redis.js';
import { fromRoot } from '../root.js';
import type { TurnFindings, TurnSettings } from './turn-process.js';

export interface Turns extends TurnFindings {
  name: string;
  denied: number;
}

const DENIED = 500;
const WITHIN_MS = 60_000;

export async function measureTurns(directory: string, redis: RedisServer, turns: number): Promise<Turns[]> {
  const same = { denied: DENIED, turns };
  const lmdb: StoreLocation = { kind: 'lmdb', directory: join(directory, 'turns') };
  const onRedis: StoreLocation = { kind: 'redis', cluster: false, urls: [redis.url] };
  return [
    { name: 'LMDB', denied: DENIED, ...(await run({ ...same, store: lmdb })) },
    { name: 'Redis', denied: DENIED, ...(await run({ ...same, store: onRedis, storePid: redis.pid })) },
  ];
}

async function run(settings: TurnSettings): Promise<TurnFindings> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...execArguments(), fromRoot('dist/scripts/bench/aws/turn-process.js')],
    { env: { ...process.env, BENCH_TURNS: JSON.stringify(settings) }, timeout: WITHIN_MS, killSignal: 'SIGKILL' },
  );
  return JSON.parse(stdout) as TurnFindings;
}

/** Arguments for Node, for profiling: BENCH_NODE_ARGS, e.g. `--cpu-prof`. */
const execArguments = (): string[] => (process.env['BENCH_NODE_ARGS'] ?? '').split(' ').filter(Boolean);
