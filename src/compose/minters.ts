/** The minters: one for each kind of target in the configuration. A vendor's SDK is loaded only if there is such a target. */
import type { Target } from '../config/schema.js';
import type { AwsTarget } from '../config/target-schema.js';
import type { Clock } from '../domain/time.js';
import type { ProxyFor } from '../outbound/proxy.js';
import type { Keys } from '../keys/keys.js';
import { createJwtMinter } from '../minters/jwt.js';
import { WARNING_SUBJECTS, type OperatorWarning } from '../minters/aws/context.js';
import type { Minter } from '../minters/minter.js';

export interface MinterDeps {
  targets: readonly Target[];
  keys: Pick<Keys, 'sign'>;
  issuer: string;
  clock: Clock;
  proxyFor: ProxyFor;
  warn: (warning: OperatorWarning) => void;
  /** Takes the subjects that warnings can have. */
  expectWarnings?: (subjects: readonly string[]) => void;
}

/** Returns the minters by the names of their kinds. */
export async function openMinters(deps: MinterDeps): Promise<ReadonlyMap<string, Minter>> {
  const { targets, expectWarnings, ...context } = deps;
  const minters: Minter[] = [createJwtMinter(context)];
  const roles = targets.filter((target): target is AwsTarget => target.minter === 'aws-sts');
  if (roles.length > 0) {
    expectWarnings?.(WARNING_SUBJECTS);
    const { createAwsMinter } = await import('../minters/aws/minter.js');
    minters.push(createAwsMinter({ ...context, targets: roles }));
  }
  return new Map(minters.map((minter) => [minter.kind, minter]));
}
