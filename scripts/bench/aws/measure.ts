/** All measurements of AWS sessions, on an AWS account that runs here in a process of its own. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Broker } from '../broker.js';
import type { Signer } from '../issuer.js';
import { drive, post } from '../load.js';
import type { RedisServer } from '../redis.js';
import { openLedger } from '../seed.js';
import { PREFIX, startAwsBroker } from './broker.js';
import { measureManyEnds, type ManyEnds } from './many-ends.js';
import { measureOverhead, throughBroker, type Overhead } from './overhead.js';
import { seedSessions } from './seed.js';
import { measureTurns, type Turns } from './turns.js';

export interface AwsFindings {
  /** With many requests at once, as the target says, and one at a time, so that no request waits for another. */
  overhead: { busy: Overhead; alone: Overhead };
  turns: Turns[];
  manyEnds: ManyEnds;
}

export interface AwsWish {
  rounds: number;
  requests: number;
  warmUp: number;
  turns: number;
  ended: number;
}

const READY_WITHIN_MS = 30_000;

export async function measureAws(
  directory: string,
  redis: RedisServer,
  lab: Signer,
  { rounds, requests, warmUp, turns: turnsWanted, ended }: AwsWish,
): Promise<AwsFindings> {
  const { aws, broker } = await startAwsBroker(join(directory, 'aws'), redis.url, lab);
  const parts = { aws, broker, lab };
  // What a fresh role takes before its first session passes meanwhile.
  const turns = await measureTurns(directory, redis, turnsWanted);
  await ready(parts);

  await drive(await throughBroker(broker, lab, warmUp, 16));
  const busy = await measureOverhead(parts, { rounds, requests, inFlight: 16 });
  const alone = await measureOverhead(parts, { rounds, requests: Math.ceil(requests / 4), inFlight: 1 });
  process.stderr.write('\n');
  const { ledger, close } = await openLedger({ kind: 'redis', cluster: false, urls: [redis.url] }, PREFIX);
  const manyEnds = await measureManyEnds(parts, ledger, await seedSessions(ledger, ended));
  await close();
  await broker.end();
  await aws.end();
  return { overhead: { busy, alone }, turns, manyEnds };
}

async function ready({ broker, lab }: { broker: Broker; lab: Signer }): Promise<void> {
  const { url, bodies } = await throughBroker(broker, lab, 1, 1);
  const sent = { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: bodies.join() };
  const patience = AbortSignal.timeout(READY_WITHIN_MS);
  while ((await post(url, sent)).status === 503 && !patience.aborted) await pause(500);
}
