/** What the minter of AWS sessions is made of. */
import type { AwsTarget } from '../../config/schema.js';
import type { Clock } from '../../domain/time.js';
import type { Keys } from '../../keys/keys.js';
import type { AwsClock } from './aws-clock.js';
import type { AwsTrouble } from './trouble.js';

export interface AwsMinterDeps {
  targets: readonly AwsTarget[];
  keys: Pick<Keys, 'sign'>;
  /** The broker's own: the `iss` of what proves it to AWS, where a target names no other. */
  issuer: string;
  clock: Clock;
  /** Must not throw. */
  warn: (what: AwsTrouble) => void;
}

/** The same, with what all roles learn of AWS. */
export interface AwsSurroundings extends AwsMinterDeps {
  awsClock: AwsClock;
}
