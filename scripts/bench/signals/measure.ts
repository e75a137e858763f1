/** All measurements of signals: accepting them, reacting to them, and the cost of the detectors. */
import { join } from 'node:path';
import type { Signer } from '../issuer.js';
import type { RedisServer } from '../redis.js';
import { openLedger, openSeeder } from '../seed.js';
import { PREFIX, startSignalsBroker } from './broker.js';
import { measureDetectors, type DetectorsCost, type DetectorsWish } from './detectors.js';
import { measureReactions, type Reactions } from './reaction.js';
import { measureTaken, type Taken, type TakenWish } from './taken.js';
import { createTransmitter } from './transmitter.js';

export interface SignalsFindings {
  /** The target applies to the first rate. */
  taken: Taken[];
  reactions: Reactions[];
  detectors: DetectorsCost;
}

export interface SignalsWish {
  taken: TakenWish;
  /** How many seconds each rate is measured. */
  reactions: { seconds: number; perSecond: number[] };
  detectors: DetectorsWish;
}

export async function measureSignals(
  directory: string,
  redis: RedisServer,
  lab: Signer,
  wish: SignalsWish,
): Promise<SignalsFindings> {
  const [rsa, ecdsa] = await Promise.all([createTransmitter('RS256'), createTransmitter('ES256')]);
  const broker = await startSignalsBroker(join(directory, 'signals'), redis.url, lab, [rsa, ecdsa]);
  const { ledger, close } = await openLedger({ kind: 'redis', cluster: false, urls: [redis.url] }, PREFIX);
  const seeder = await openSeeder(redis.url, PREFIX);
  const rows = [
    { name: 'ES256, recorded', transmitter: ecdsa, type: 'recorded', share: 1 },
    { name: 'RS256, recorded', transmitter: rsa, type: 'recorded', share: 1 },
    { name: 'ES256, each holds a workload', transmitter: ecdsa, type: 'held', share: 0.25 },
  ] as const;
  const taken = await measureTaken({ broker, redis, ledger, seeder }, rows, wish.taken);
  const reactions: Reactions[] = [];
  for (const perSecond of wish.reactions.perSecond)
    reactions.push(
      await measureReactions({ broker, ledger, seeder, transmitter: ecdsa }, { ...wish.reactions, perSecond }),
    );
  await seeder.close();
  await close();
  await broker.end();
  const detectors = await measureDetectors(join(directory, 'detectors'), redis, lab, wish.detectors);
  return { taken, reactions, detectors };
}
