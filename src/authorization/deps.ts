/** The dependencies of use cases that authorise; each names the part that it needs. What issues needs more: credentials/deps.ts. */
import type { AuditEvent } from '../audit/event.js';
import type { Config } from '../config/schema.js';
import type { Observer } from '../detectors/observer.js';
import type { PartyRef } from '../domain/party.js';
import type { Task } from '../domain/task.js';
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
  /**
   * Throws `quota_exceeded` if the party, its team or its issuer has all the open tasks, or all the bytes of records, that it may
   * have. Otherwise it counts what is about to be written.
   */
  assertWithinQuota(party: PartyRef, writing: Writing): Promise<void>;
}

/** What a party is about to write. */
interface Writing {
  /** By so many bytes its records grow. */
  bytes: number;
  /** The task that it opens, or that it adds to. */
  task: Task;
  opens: boolean;
}

export interface Settings extends Pick<Config, 'issuer' | 'lifetimes' | 'purposes' | 'owners' | 'approvals'> {
  limits: Pick<Config['limits'], 'credentialsPerTask' | 'credentialsPerSharedTask' | 'delegationDepth'>;
  /** Decides which issuer an id belongs to that a caller only names. */
  trust: Config['trust'];
  /** The resources of all targets. */
  targets: readonly string[];
  signals: Config['signals'];
  /** The target whose credentials prove their workload at the endpoint for AWS SDKs. */
  proofTarget?: string;
}
