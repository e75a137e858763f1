/** How many events a second are accepted: each is durable before its 202, and its reaction competes for the same cores. */
import { setTimeout as pause } from 'node:timers/promises';
import { SHARDS } from '../../../src/domain/id.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { unfinishedSignals } from '../../../src/ledger/signals.js';
import type { Broker } from '../broker.js';
import { cpuMicroseconds } from '../child.js';
import { drive, type Load } from '../load.js';
import { quantile } from '../numbers.js';
import type { RedisServer } from '../redis.js';
import type { Seeder } from '../seed.js';
import type { EventType, Transmitter } from './transmitter.js';

export interface TakenWish {
  rounds: number;
  events: number;
  warmUp: number;
}

export interface Taken {
  name: string;
  turns: {
    perSecond: number;
    p50: number;
    p99: number;
    /** CPU time of the broker per event, reactions included. */
    cpuMicroseconds: number;
    redisCpuMicroseconds: number;
    /** From the last 202 until every signal was evaluated. */
    drainedMs: number;
  }[];
}

interface Stage {
  broker: Broker;
  redis: RedisServer;
  ledger: Ledger;
  seeder: Seeder;
}

export interface Row {
  name: string;
  transmitter: Transmitter;
  type: EventType;
  /** Of the events of others: what takes long is measured by fewer. */
  share: number;
}

const DRAINED_WITHIN_MS = 30_000;

export async function measureTaken(stage: Stage, rows: readonly Row[], wish: TakenWish): Promise<Taken[]> {
  const measured = rows.map((row) => ({ row, turns: new Array<Taken['turns'][number]>() }));
  for (const { row } of measured) await turn(stage, row, wish.warmUp * row.share);
  for (let round = 0; round < wish.rounds; round += 1) {
    for (const { row, turns } of measured) turns.push(await turn(stage, row, wish.events * row.share));
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  return measured.map(({ row: { name }, turns }) => ({ name, turns }));
}

async function turn(stage: Stage, row: Row, count: number): Promise<Taken['turns'][number]> {
  const { broker, redis, ledger } = stage;
  const load = await prepare(stage, row, count);
  const [cpu, redisCpu] = [cpuMicroseconds(broker.pid), cpuMicroseconds(redis.pid)];
  const { seconds, latencies } = await drive(load);
  const drainedMs = await drained(ledger);
  return {
    perSecond: count / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpuMicroseconds: (cpuMicroseconds(broker.pid) - cpu) / count,
    redisCpuMicroseconds: (cpuMicroseconds(redis.pid) - redisCpu) / count,
    drainedMs,
  };
}

let workloads = 0;

/** Each workload that will be held has a task with a credential, and is held only once. */
async function prepare({ broker, seeder }: Stage, { transmitter, type }: Row, count: number): Promise<Load> {
  const first = workloads;
  workloads += count;
  const subOf = (index: number) => `signalled-${first + index}`;
  if (type === 'held') await seeder.seed(count, subOf);
  return { ...pushes(broker), bodies: await transmitter.events(count, type, subOf) };
}

export const pushes = ({ url }: Pick<Broker, 'url'>) => ({
  url: `${url}/signals`,
  headers: { 'Content-Type': 'application/secevent+jwt' },
  status: 202,
  expect: '',
});

async function drained(ledger: Ledger): Promise<number> {
  const from = performance.now();
  while (await isUnfinished(ledger)) {
    if (performance.now() - from > DRAINED_WITHIN_MS) throw new Error('signals wait for ever');
    await pause(50);
  }
  return performance.now() - from;
}

async function isUnfinished(ledger: Ledger): Promise<boolean> {
  const firsts = await Promise.all(SHARDS.map((shard) => unfinishedSignals(ledger, shard, 1).next()));
  return firsts.some(({ done }) => done !== true);
}
