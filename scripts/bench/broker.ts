/** The real broker process, configured for a benchmark: shipped policies and defaults, and a rate that one client may reach. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild, type Child } from './child.js';
import { freePort } from '../free-port.js';
import type { Signer } from './issuer.js';
import { fromRoot } from './root.js';

export interface Broker extends Child {
  url: string;
}

export const AUDIENCE = 'urn:bench:broker';
export const TARGET = 'https://tickets.example';
export const LAB = 'https://issuer.lab.example';
const AMPLE = { perWorkload: 10_000_000, perOwner: 10_000_000, perIssuer: 10_000_000 };

export interface BrokerWish {
  directory: string;
  /** `store` of the configuration file. */
  store: string;
  lab: Signer;
  /** Default: any free one. */
  port?: number;
  /** Further trust entries, besides the lab. */
  trust?: object[];
  /** Further targets, besides the tickets API. */
  targets?: object[];
  /** These members replace members of the configuration. */
  more?: Record<string, unknown>;
  nodeArguments?: string[];
}

export async function startBroker({
  directory,
  store,
  lab,
  trust = [],
  targets = [],
  more,
  ...wish
}: BrokerWish): Promise<Broker> {
  mkdirSync(directory, { recursive: true });
  const [port, operations] = [wish.port ?? (await freePort()), await freePort()];
  const config = {
    issuer: `http://127.0.0.1:${port}`,
    listen: `127.0.0.1:${port}`,
    operations: `127.0.0.1:${operations}`,
    drainSeconds: 0,
    store,
    trust: [
      {
        name: 'lab',
        kind: 'oidc',
        issuer: LAB,
        audiences: [AUDIENCE],
        jwks: { file: './lab.jwks.json' },
        owner: { claim: 'team' },
        claims: ['team'],
      },
      ...trust,
    ],
    targets: [
      {
        resource: TARGET,
        minter: 'jwt',
        labels: [
          { match: 'incident/*/attachment/**', sensitivity: 'restricted' },
          { match: 'customer/**', sensitivity: 'restricted' },
        ],
      },
      ...targets,
    ],
    policy: { engine: 'cedar', directory: fromRoot('config/policies') },
    limits: {
      perWorkloadPerMinute: 100_000_000,
      perIssuerPerMinute: 100_000_000,
      openTasks: AMPLE,
      keptMiB: AMPLE,
    },
    ...more,
  };
  const path = join(directory, 'mayfly.json');
  writeFileSync(join(directory, 'lab.jwks.json'), JSON.stringify({ keys: [lab.publicJwk] }));
  writeFileSync(path, JSON.stringify(config)); // JSON is YAML.
  const child = await startChild(
    process.execPath,
    [...execArguments(), ...(wish.nodeArguments ?? []), fromRoot('dist/src/main.js')],
    {
      env: { MAYFLY_CONFIG: path, REDIS_URL: '' },
      isReady: async () => (await fetch(`http://127.0.0.1:${operations}/health/ready`)).ok,
    },
  );
  return { ...child, url: config.issuer };
}

/** Arguments for Node, for profiling: BENCH_NODE_ARGS, e.g. `--cpu-prof`. */
const execArguments = (): string[] => (process.env['BENCH_NODE_ARGS'] ?? '').split(' ').filter(Boolean);
