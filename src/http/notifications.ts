/** GET /notifications: for each webhook, the last audit entry that it has received, its current failure, and its dead letters. */
import { defined } from '../domain/defined.js';
import { toTimestamp } from '../domain/time.js';
import { ok } from './wire/endpoint.js';
import { brokerOperation, nothing } from './wire/operation.js';
import { listDeadLetters, readWebhook, type DeadLetter, type WebhookRecord } from '../ledger/webhooks.js';
import type { HttpDeps } from './deps.js';

export const notifications = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readAudit',
    from: 'query',
    input: nothing,
    act: async () => ok({ webhooks: await Promise.all(deps.webhooks.map((webhook) => statusOf(deps, webhook))) }),
  });

/** The URL of the webhook is left out, because it may be a secret. */
async function statusOf({ ledger }: HttpDeps, { name, types }: HttpDeps['webhooks'][number]) {
  const [stored, letters] = await Promise.all([readWebhook(ledger, name), listDeadLetters(ledger, name)]);
  const { after = 0, failing } = stored?.value ?? {};
  return defined({
    name,
    types,
    toldUpTo: after,
    failing: failing && failingOnWire(failing, ledger.clock.unchecked()),
    deadLetters: letters.map(letterOnWire),
  });
}

const failingOnWire = ({ at, retryAt, ...rest }: NonNullable<WebhookRecord['failing']>, now: number) => ({
  ...rest,
  behindSeconds: Math.max(0, Math.floor((now - at) / 1000)),
  retryAt: toTimestamp(retryAt),
});

const letterOnWire = ({ givenUpAt, ...letter }: DeadLetter) => ({ ...letter, givenUpAt: toTimestamp(givenUpAt) });
