/** How long after its 202 a signal's reaction is published, at a steady rate. */
import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Ledger } from '../../../src/ledger/ledger.js';
import type { Broker } from '../broker.js';
import { post } from '../load.js';
import type { Seeder } from '../seed.js';
import { pushes } from './taken.js';
import type { Transmitter } from './transmitter.js';

export interface Reactions {
  perSecond: number;
  /** Milliseconds from the 202 until another process could read the entry in the log, ascending; 0: it could before the 202. */
  latencies: number[];
}

const CONNECTIONS = 32;
/** The log is read at this interval, so a measured latency may be too long by as much. */
const POLL_MS = 2;
const PAGE = 1_000;
const PUBLISHED_WITHIN_MS = 10_000;

interface Stage {
  broker: Broker;
  ledger: Ledger;
  seeder: Seeder;
  transmitter: Transmitter;
}

export async function measureReactions(
  stage: Stage,
  { seconds, perSecond }: { seconds: number; perSecond: number },
): Promise<Reactions> {
  return { perSecond, latencies: await latencies(stage, { count: seconds * perSecond, perSecond }) };
}

async function latencies(
  { broker, ledger, seeder, transmitter }: Stage,
  { count, perSecond }: { count: number; perSecond: number },
): Promise<number[]> {
  const subOf = (index: number) => `steady-${perSecond}-${index}`;
  await seeder.seed(count, subOf);
  const bodies = await transmitter.events(count, 'held', subOf);
  const published = watchLog(ledger, new Set(bodies.map((_, index) => `lab:${subOf(index)}`)));
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const { url, headers, status } = pushes(broker);
  const from = performance.now();
  const acknowledged = await Promise.all(
    bodies.map(async (body, index) => {
      await pause(from + (index * 1_000) / perSecond - performance.now());
      const answer = await post(url, { agent, headers, body });
      if (answer.status !== status) throw new Error(`an event was answered ${answer.status}: ${answer.text}`);
      return performance.now();
    }),
  );
  agent.destroy();
  const seen = await published;
  return acknowledged
    .map((at, index) => Math.max(0, (seen.get(`lab:${subOf(index)}`) ?? NaN) - at))
    .sort((a, b) => a - b);
}

/** Returns when the hold of each workload was seen. */
async function watchLog(ledger: Ledger, wanted: Set<string>): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  let { seq } = (await ledger.log.look([])).epoch;
  let latest = performance.now();
  while (seen.size < wanted.size) {
    const entries = await ledger.log.entries(seq, PAGE);
    const now = performance.now();
    for (const { selector } of entries) if (wanted.has(selector.value)) seen.set(selector.value, now);
    if (entries.length > 0) latest = now;
    else if (now - latest > PUBLISHED_WITHIN_MS) throw new Error(`${wanted.size - seen.size} reactions are missing`);
    seq = entries.at(-1)?.seq ?? seq;
    await pause(POLL_MS);
  }
  return seen;
}
