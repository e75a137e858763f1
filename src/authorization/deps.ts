/** The dependencies of the use cases; each use case names the part that it needs. */
import type { AuditEvent } from '../audit/event.js';
import type { Config, Target } from '../config/schema.js';
import type { Identify } from '../identity/identify.js';
import type { Keys } from '../keys/keys.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Minter } from '../minters/minter.js';
import type { PolicyEngine } from '../policy/policy-engine.js';
import type { Observer } from '../detectors/observer.js';

export interface Deps {
  ledger: Ledger;
  identify: Identify;
  policy: PolicyEngine;
  keys: Pick<Keys, 'verify'>;
  minters: ReadonlyMap<string, Minter>;
  audit: { append(event: AuditEvent): Promise<void> };
  targets: ReadonlyMap<string, Target>;
  settings: Settings;
  observer: Observer;
  /** Throws `slow_down` if the workload asks too often. */
  assertWithinRate(workload: string): Promise<void>;
  /** Throws `temporarily_unavailable` while this broker must not mint: clocks apart, store nearly full or unfit. */
  assertFitToMint(): void;
}

export interface Settings extends Pick<Config, 'lifetimes' | 'limits' | 'purposes'> {
  /** Decides which issuer an id belongs to that a caller only names. */
  trust: Config['trust'];
  signals: Config['signals'];
  /** The target whose credentials prove their workload at the endpoint for AWS SDKs. */
  proofTarget?: string;
}
