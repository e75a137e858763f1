/** Tells one webhook of one entry, and says what follows from it for the cursor. */
import { defined } from '../domain/defined.js';
import type { AuditEntry } from '../audit/event.js';
import type { Webhook } from '../config/signals-schema.js';
import type { Clock } from '../domain/time.js';
import type { Keys } from '../keys/keys.js';
import type { DeadLetter, WebhookRecord } from '../ledger/webhooks.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { cloudEvent, eventId } from './cloud-event.js';
import { post, type Failure } from './post.js';
import { isHopeless, isTooSoon, pauseMs } from './retry.js';
import { signedBody } from './signed-body.js';

export interface TellDeps {
  ledger: { clock: Clock };
  keys: Pick<Keys, 'sign'>;
  issuer: string;
  metrics: Pick<Metrics, 'notified'>;
  log: Pick<Logger, 'warn'>;
  /** How long one try may take. */
  patienceMs?: number;
}

/** What becomes of a webhook's record. */
export type Step = Pick<WebhookRecord, 'after' | 'failing'> & { dead?: DeadLetter };

interface News {
  entry: AuditEntry;
  line: string;
}

const PATIENCE_MS = 5_000;

/** `too soon`: it failed a moment ago, and is left alone for now. */
export async function tell(
  deps: TellDeps,
  webhook: Webhook,
  { failing }: Pick<WebhookRecord, 'failing'>,
  { entry, line }: News,
): Promise<Step | 'too soon'> {
  const { ledger, metrics, log } = deps;
  const { seq, at, type } = entry;
  const before = failing?.seq === seq ? failing : undefined;
  if (before && isTooSoon(before.retryAt, ledger.clock.now())) return 'too soon';
  const failure = await posted(deps, webhook, { entry, line });
  metrics.notified(webhook.name, failure ? 'failed' : 'delivered');
  if (!failure) return { after: seq };

  const { because } = failure;
  const tries = (before?.tries ?? 0) + 1;
  log.warn({ webhook: webhook.name, seq, tries, because }, 'a webhook did not take what it was told');
  const now = ledger.clock.now();
  if (!isHopeless(failure, tries, now - at, webhook.giveUpSeconds))
    return { after: seq - 1, failing: { seq, at, tries, because, retryAt: now + pauseMs(tries) } };
  metrics.notified(webhook.name, 'dead');
  return { after: seq, dead: { seq, id: eventId(seq, line), type, tries, because, givenUpAt: now } };
}

async function posted(
  { keys, issuer, patienceMs = PATIENCE_MS }: TellDeps,
  { url, ca }: Webhook,
  { entry, line }: News,
): Promise<Failure | undefined> {
  const { body, signature } = await signedBody(keys, cloudEvent(entry, line, issuer));
  const headers = {
    'content-type': 'application/cloudevents+json; charset=utf-8',
    'mayfly-signature': signature,
    'user-agent': 'mayfly',
  };
  return post(defined({ url, ca, body, headers, patienceMs }));
}
