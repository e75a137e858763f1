/** The dependencies of use cases that authorise; each names the part that it needs. What issues needs more: credentials/deps.ts. */
import type { AuditEvent } from '../audit/event.js';
import type { Config } from '../config/schema.js';
import type { Observer } from '../detectors/observer.js';
import type { Identify } from '../identity/identify.js';
import type { Keys } from '../keys/keys.js';
import type { Ledger } from '../ledger/ledger.js';
import type { PolicyEngine } from '../policy/policy-engine.js';

export interface Deps {
  ledger: Ledger;
  identify: Identify;
  policy: PolicyEngine;
  keys: Pick<Keys, 'verify'>;
  audit: { append(event: AuditEvent): Promise<void> };
  settings: Settings;
  observer: Observer;
}

export interface Settings extends Pick<Config, 'issuer' | 'lifetimes' | 'purposes'> {
  limits: Pick<Config['limits'], 'credentialsPerTask' | 'delegationDepth'>;
  /** Decides which issuer an id belongs to that a caller only names. */
  trust: Config['trust'];
  /** The resources of all targets. */
  targets: readonly string[];
  signals: Config['signals'];
  /** The target whose credentials prove their workload at the endpoint for AWS SDKs. */
  proofTarget?: string;
}
