/** The minters: one for each kind of target in the configuration. A vendor's SDK is loaded only if there is such a target. */
import type { Target } from '../config/schema.js';
import type { AwsTarget } from '../config/target-schema.js';
import type { Clock } from '../domain/time.js';
import type { Keys } from '../keys/keys.js';
import { createJwtMinter } from '../minters/jwt.js';
import type { Minter } from '../minters/minter.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';

interface MinterDeps {
  targets: readonly Target[];
  keys: Pick<Keys, 'sign'>;
  issuer: string;
  clock: Clock;
  metrics: Metrics;
  log: Logger;
}

/** Returns the minters by the names of their kinds. */
export async function openMinters(deps: MinterDeps): Promise<ReadonlyMap<string, Minter>> {
  const { targets, keys, issuer, clock, metrics, log } = deps;
  const minters: Minter[] = [createJwtMinter({ keys, issuer })];
  const roles = targets.filter((target): target is AwsTarget => target.minter === 'aws-sts');
  if (roles.length > 0) {
    const { createAwsMinter } = await import('../minters/aws/minter.js');
    const minter = createAwsMinter({
      targets: roles,
      keys,
      issuer,
      clock,
      warn({ target, what, advice, answer }) {
        metrics.minterWarning(what);
        log.warn({ target, what, answer }, advice);
      },
    });
    minters.push(minter);
  }
  return new Map(minters.map((minter) => [minter.kind, minter]));
}
