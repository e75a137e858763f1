/** A broker that has the role of the account as a target, on its own part of the Redis. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBroker, type Broker } from '../broker.js';
import { freePort } from '../../free-port.js';
import type { Signer } from '../issuer.js';
import { fromRoot } from '../root.js';
import { awsTarget, READS_TENANT_42, startAws, type Aws } from './account.js';

export const PREFIX = 'bench-aws:';

export async function startAwsBroker(
  directory: string,
  redisUrl: string,
  lab: Signer,
): Promise<{ aws: Aws; broker: Broker }> {
  const policies = join(directory, 'policies');
  mkdirSync(directory, { recursive: true });
  cpSync(fromRoot('config/policies'), policies, { recursive: true });
  writeFileSync(join(policies, 'tenant-42.cedar'), READS_TENANT_42);
  const port = await freePort();
  const aws = await startAws(`http://127.0.0.1:${port}`, lab);
  const broker = await startBroker({
    ...{ directory, store: redisUrl, lab, port },
    targets: [awsTarget(aws)],
    more: {
      policy: { engine: 'cedar', directory: policies },
      redis: { prefix: PREFIX },
      lifetimes: { task: 3_600 },
    },
  });
  return { aws, broker };
}
