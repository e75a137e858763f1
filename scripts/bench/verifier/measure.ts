/** What an API pays that decides by itself: the time of `verify` over that of the bare signature, and the memory of what is dead. */
import { spawnSync } from 'node:child_process';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { createVerifier, type Needed } from '../../../src/verifier/index.js';
import { AUDIENCE, LAB, startBroker, TARGET, type Broker } from '../broker.js';
import { liveTokens, pathIn } from '../contenders.js';
import type { Signer } from '../issuer.js';
import { median } from '../numbers.js';
import type { RedisServer } from '../redis.js';
import { fromRoot } from '../root.js';
import { publishEnds } from '../seed.js';
import { span, table, targetTable } from '../table.js';

export interface VerifierWish {
  rounds: number;
  /** Verifications in a round. */
  calls: number;
  /** Tombstones that the verifier has while its time is measured, and while its memory is. */
  tombstones: { time: number; memory: number };
}

const PREFIX = 'verifier:';
const OVER_MOST = 1.05;
const MEGABYTES_MOST = 40;

export async function measureVerifier(
  directory: string,
  redis: RedisServer,
  lab: Signer,
  { tombstones, ...wish }: VerifierWish,
): Promise<string> {
  const broker = await startBroker({ directory, store: redis.url, lab, more: { redis: { prefix: PREFIX } } });
  const [api = ''] = await lab.tokens(1, () => ({ iss: LAB, aud: AUDIENCE, team: 'sre', sub: 'tickets-api' }));
  const empty = measureMemory(broker, api);
  await publishEnds(redis.url, PREFIX, tombstones.time);
  const { whole, bare } = await measureTime(broker, { lab, api }, wish);
  await publishEnds(redis.url, PREFIX, tombstones.memory - tombstones.time);
  const full = measureMemory(broker, api);
  await broker.end();
  const over = median(whole.map((took, round) => took / (bare[round] ?? NaN)));
  const row = (name: string, took: readonly number[]) => [name, median(took).toFixed(1), span(took, 1)];
  return [
    table(
      [`a token, with ${tombstones.time} tombstones`, 'CPU µs', 'low–high'],
      [row('jwtVerify of jose alone', bare), row('verify, with the path and action that are needed', whole)],
    ),
    table(
      ['a verifier with', 'MB of heap', 'MB by which its process has grown'],
      [memoryRow('no tombstones', empty), memoryRow(`${tombstones.memory} tombstones`, full)],
    ),
    targetTable([
      [`verify to jwtVerify alone, ${tombstones.time} tombstones`, `≤ ${OVER_MOST}`, over, over <= OVER_MOST, '×'],
      [
        `memory of a verifier with ${tombstones.memory} tombstones`,
        `≤ ${MEGABYTES_MOST} MB`,
        full.heap,
        full.heap <= MEGABYTES_MOST,
        ' MB',
      ],
    ]),
  ].join('\n\n');
}

interface Shown {
  token: string;
  needed: Needed;
}

/** Microseconds of CPU for each verification, round by round, in turns. */
async function measureTime(
  broker: Broker,
  { lab, api }: { lab: Signer; api: string },
  { rounds, calls }: Pick<VerifierWish, 'rounds' | 'calls'>,
): Promise<{ whole: number[]; bare: number[] }> {
  const live = await liveTokens(broker, lab, 100);
  // Each is for a path of its own, and verified for that one.
  const shown = live.map((token) => ({ token, needed: { resource: pathIn(token), action: 'read' } }));
  const keys = createLocalJWKSet((await (await fetch(`${broker.url}/jwks`)).json()) as JSONWebKeySet);
  const expected = { issuer: broker.url, audience: TARGET, typ: 'at+jwt', algorithms: ['ES256'] };
  const verifier = createVerifier({ issuer: broker.url, audience: TARGET, identity: () => api });
  await verifier.ready();
  const ways = {
    bare: ({ token }: Shown) => jwtVerify(token, keys, expected),
    whole: ({ token, needed }: Shown) => verifier.verify(token, needed),
  };
  const took = { whole: new Array<number>(), bare: new Array<number>() };
  for (let round = -1; round < rounds; round += 1)
    for (const way of round % 2 ? (['bare', 'whole'] as const) : (['whole', 'bare'] as const)) {
      const from = process.cpuUsage();
      for (let call = 0; call < calls; call += shown.length) for (const one of shown) await ways[way](one);
      const { user, system } = process.cpuUsage(from);
      if (round >= 0) took[way].push((user + system) / calls); // The first round warms up.
    }
  verifier.close();
  return took;
}

/** Megabytes. */
interface Memory {
  heap: number;
  /** The whole process, with the garbage of reading the snapshot. */
  resident: number;
}

const memoryRow = (name: string, { heap, resident }: Memory) => [name, heap.toFixed(1), resident.toFixed(1)];

/** In a process of its own, which has nothing else. */
function measureMemory({ url }: Broker, api: string): Memory {
  const args = ['--expose-gc', fromRoot('dist/scripts/bench/verifier/memory-process.js'), url, TARGET, api];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the verifier whose memory is measured has failed: ${stderr}`);
  return JSON.parse(stdout) as Memory;
}
