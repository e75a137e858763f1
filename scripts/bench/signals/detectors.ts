/** What detectors cost an exchange: the broker as shipped, and one whose detectors are replaced when it loads, in turns. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startBroker } from '../broker.js';
import { cpuMicroseconds } from '../child.js';
import { sameToken } from '../contenders.js';
import type { Signer } from '../issuer.js';
import { drive } from '../load.js';
import type { RedisServer } from '../redis.js';
import { fromRoot } from '../root.js';

export interface DetectorsWish {
  rounds: number;
  requests: number;
  warmUp: number;
}

interface Turn {
  perSecond: number;
  cpuMicroseconds: number;
}

/** Returns one of each for every round. */
export interface DetectorsCost {
  with: Turn[];
  without: Turn[];
}

const REPLACED = pathToFileURL(fromRoot('dist/scripts/bench/signals/without-detectors.js')).href;

export async function measureDetectors(
  directory: string,
  redis: RedisServer,
  lab: Signer,
  { rounds, requests, warmUp }: DetectorsWish,
): Promise<DetectorsCost> {
  const start = (name: string, nodeArguments: string[]) =>
    startBroker({
      ...{ directory: join(directory, name), store: redis.url, lab, nodeArguments },
      more: { redis: { prefix: `bench-${name}:` } },
    });
  const [shipped, deaf] = [await start('watched', []), await start('unwatched', ['--import', REPLACED])];
  const [one, other] = [sameToken('', shipped, lab), sameToken('', deaf, lab)];
  for (const each of [one, other]) await drive(await each.prepare(warmUp));

  async function turn(contender: typeof one): Promise<Turn> {
    const { pid } = contender;
    const load = await contender.prepare(requests);
    const cpu = cpuMicroseconds(pid);
    const { seconds } = await drive(load);
    return { perSecond: requests / seconds, cpuMicroseconds: (cpuMicroseconds(pid) - cpu) / requests };
  }
  const cost: DetectorsCost = { with: [], without: [] };
  for (let round = 0; round < rounds; round += 1) {
    // Whoever comes first in one round comes last in the next.
    const order = round % 2 ? (['with', 'without'] as const) : (['without', 'with'] as const);
    for (const which of order) cost[which].push(await turn(which === 'with' ? one : other));
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  await Promise.all([shipped.end(), deaf.end()]);
  return cost;
}
