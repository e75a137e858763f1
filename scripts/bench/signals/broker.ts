/** A broker that accepts the transmitters' signals, on its own part of the Redis, and a ledger on the same part. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBroker, type Broker } from '../broker.js';
import type { Signer } from '../issuer.js';
import { EVENTS, SIGNALS, type Transmitter } from './transmitter.js';

export const PREFIX = 'bench-signals:';

/** Limits that no measurement reaches: speed is measured, not the safeguards. */
const UNLIMITED = 1_000_000;

export function startSignalsBroker(
  directory: string,
  redisUrl: string,
  lab: Signer,
  transmitters: readonly Transmitter[],
): Promise<Broker> {
  mkdirSync(directory, { recursive: true });
  for (const { name, publicJwk } of transmitters)
    writeFileSync(join(directory, `${name}.json`), JSON.stringify({ keys: [publicJwk] }));
  const signals = {
    transmitters: transmitters.map(({ name, issuer }) => ({
      ...{ name, issuer, audience: SIGNALS, about: ['lab'], perMinute: UNLIMITED },
      jwks: { file: `./${name}.json` },
    })),
    reactions: [
      { name: 'note', event: EVENTS.recorded, do: 'record' },
      { name: 'hold', event: EVENTS.held, do: 'hold', covers: 'workload' },
    ],
    maxPartiesPerMinute: 'unlimited',
  };
  return startBroker({ directory, store: redisUrl, lab, more: { signals, redis: { prefix: PREFIX } } });
}
