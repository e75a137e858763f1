/** What attacks cost: each kind of request alone, and what others get during a flood of the dearest. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIENCE, startBroker, TARGET, type Broker } from '../broker.js';
import type { Signer } from '../issuer.js';
import type { RedisServer } from '../redis.js';
import { costOf, type Cost } from './cost.js';
import { flood, type Flooded, type FloodWish } from './flood.js';
import { bundleText, kindsOf, SEVEN_LABELS, TRUST_DOMAIN, type Kind } from './requests.js';

export interface AttackFindings {
  costs: Cost[];
  /** By a stranger, and by an agent. */
  floods: Flooded[];
}

export interface AttackWish {
  requests: number;
  stranger: FloodWish;
  agent: FloodWish;
}

export async function measureAttacks(
  directory: string,
  redis: RedisServer,
  lab: Signer,
  wish: AttackWish,
): Promise<AttackFindings> {
  const bundle = join(directory, 'bundle.json');
  writeFileSync(bundle, await bundleText());
  const { name, trustDomain } = TRUST_DOMAIN;
  const trust = [{ kind: 'spiffe', name, trustDomain, audiences: [AUDIENCE], bundle: { file: bundle } }];
  const start = (name: string, more: Record<string, unknown>) =>
    startBroker({
      directory: join(directory, name),
      store: redis.url,
      lab,
      trust,
      more: { ...more, redis: { prefix: `bench-${name}:` } },
    });
  const plain = await start('attacked', {});
  const labelled = await start('labelled', { targets: [{ resource: TARGET, minter: 'jwt', labels: SEVEN_LABELS }] });
  const brokerOf = (kind: Kind): Broker => (kind.labelled ? labelled : plain);
  const costs: Cost[] = [];
  for (const kind of await kindsOf(lab)) {
    costs.push(await costOf(brokerOf(kind), kind, wish.requests));
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  const floods: Flooded[] = [];
  for (const who of ['stranger', 'agent'] as const) {
    const { kind } = dearest(costs, who);
    floods.push(await flood(brokerOf(kind), lab, kind, wish[who]));
  }
  await plain.end();
  await labelled.end();
  return { costs, floods };
}

export const dearest = (costs: readonly Cost[], who: Kind['who']): Cost =>
  costs.filter(({ kind }) => kind.who === who).reduce((most, one) => (one.cpuMs > most.cpuMs ? one : most));
