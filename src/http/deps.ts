/** What endpoints are handed: the use cases' parts, and what only answers need. */
import type { AuditLog } from '../audit/log.js';
import type { Deps } from '../broker/deps.js';
import type { Keys } from '../keys/keys.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';

export interface HttpDeps extends Deps {
  audit: AuditLog;
  keys: Pick<Keys, 'verify' | 'jwks'>;
  metrics: Metrics;
  log: Logger;
  /** The broker's public origin. */
  issuer: string;
}
