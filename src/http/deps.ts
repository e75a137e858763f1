/** The dependencies of endpoints: those of the use cases, and those that only an answer needs. */
import type { AuditLog } from '../audit/log.js';
import type { Webhook } from '../config/signals-schema.js';
import type { Pace } from '../approvals/pace.js';
import type { AnswerWaiting } from '../approvals/wait.js';
import type { Deps } from '../credentials/deps.js';
import type { Feed, FEED_PER_MINUTE } from '../feed/feed.js';
import type { BrowserLogin } from '../identity/browser-login.js';
import type { Transmitters } from '../identity/transmitters.js';
import type { Keys } from '../keys/keys.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { RequestLog } from '../telemetry/request-log.js';

export interface HttpDeps extends Deps {
  audit: AuditLog;
  keys: Pick<Keys, 'sign' | 'verify' | 'jwks' | 'hide' | 'reveal'>;
  /** How often agents may ask whether people have answered. */
  pace: Pace;
  /** Callers that wait for people to answer. */
  answers: AnswerWaiting;
  feed: Pick<Feed, 'subscribe' | 'acknowledge' | 'listen'>;
  metrics: Metrics;
  requests: RequestLog;
  /** The proxies that are believed when they say whose request they hand on (`X-Forwarded-For`). */
  trustProxy: readonly string[];
  /** The broker's public origin. */
  issuer: string;
  transmitters: Transmitters;
  /** Throw `slow_down` if the verifiers of a party ask too much. */
  assertFeedWithin: Record<keyof typeof FEED_PER_MINUTE, (party: string) => Promise<void>>;
  /** Throws `slow_down` if a transmitter sends too much. */
  assertWithinSignalRate(transmitter: string): Promise<void>;
  /** Queues a signal that was stored, so that it is evaluated soon. */
  onSignal(id: string): void;
  /** How approvers sign in on their page; absent where none is configured. */
  login?: BrowserLogin;
  /** The receivers of notifications. */
  webhooks: readonly Pick<Webhook, 'name' | 'types'>[];
}
