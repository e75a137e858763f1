/** Delivers one entry to one webhook, and returns what that means for its cursor. */
import type { AuditEntry } from '../audit/event.js';
import type { Webhook } from '../config/signals-schema.js';
import { defined } from '../domain/defined.js';
import type { Clock } from '../domain/time.js';
import type { Keys } from '../keys/keys.js';
import type { DeadLetter, WebhookRecord } from '../ledger/webhooks.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { cloudEvent, eventId, signedEvent } from './event.js';
import type { ProxyFor } from '../outbound/proxy.js';
import { isHopeless, isTooSoon, pauseMs, post, type Failure } from './post.js';

export interface DeliveryDeps {
  ledger: { clock: Clock };
  keys: Pick<Keys, 'sign'>;
  issuer: string;
  metrics: Pick<Metrics, 'notified'>;
  log: Pick<Logger, 'warn'>;
  proxyFor: ProxyFor;
  /** How long one try may take, in milliseconds. */
  patienceMs?: number;
}

/** The change of a webhook's record. */
export type Step = Pick<WebhookRecord, 'after' | 'failing'> & { dead?: DeadLetter };

interface Delivery {
  entry: AuditEntry;
  line: string;
}

/** One try takes no longer. */
export const PATIENCE_MS = 5_000;

/** Delivers an entry to a webhook. `too soon`: the last try failed, and its pause is not over. */
export async function deliverEntry(
  deps: DeliveryDeps,
  webhook: Webhook,
  { failing }: Pick<WebhookRecord, 'failing'>,
  { entry, line }: Delivery,
): Promise<Step | 'too soon'> {
  const { ledger, metrics, log } = deps;
  const { seq, at, type } = entry;
  const before = failing?.seq === seq ? failing : undefined;
  if (before && isTooSoon(before.retryAt, ledger.clock.unchecked())) return 'too soon';
  const failure = await postEvent(deps, webhook, { entry, line });
  metrics.notified(webhook.name, failure ? 'failed' : 'delivered');
  if (!failure) return { after: seq };

  const { because } = failure;
  const tries = (before?.tries ?? 0) + 1;
  log.warn({ webhook: webhook.name, seq, tries, because }, 'a webhook did not accept an event');
  const now = ledger.clock.unchecked();
  if (!isHopeless(failure, tries, now - at, webhook.giveUpSeconds))
    return { after: seq - 1, failing: { seq, at, tries, because, retryAt: now + pauseMs(tries) } };
  metrics.notified(webhook.name, 'dead');
  return { after: seq, dead: { seq, id: eventId(seq, line), type, tries, because, givenUpAt: now } };
}

async function postEvent(
  { keys, issuer, proxyFor, patienceMs = PATIENCE_MS }: DeliveryDeps,
  { url, ca }: Webhook,
  { entry, line }: Delivery,
): Promise<Failure | undefined> {
  const { body, signature } = await signedEvent(keys, cloudEvent(entry, line, issuer));
  const headers = {
    'content-type': 'application/cloudevents+json; charset=utf-8',
    'mayfly-signature': signature,
    'user-agent': 'mayfly',
  };
  return post(defined({ url, ca, body, headers, patienceMs, proxyFor }));
}
