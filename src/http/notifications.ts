/** GET /notifications: for each webhook, the last audit entry that it has received, its current failure, and its dead letters. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { natural } from '../domain/schemas.js';
import { toTimestamp } from '../domain/time.js';
import { json, time } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { brokerOperation, nothing } from './wire/operation.js';
import { listDeadLetters, readWebhook, type DeadLetter, type WebhookRecord } from '../ledger/webhooks.js';
import type { HttpDeps } from './deps.js';

const webhookAnswer = z.strictObject({
  name: z.string(),
  types: z.array(z.string()).exactOptional().describe('The types of audit entries that it wants. Absent: all.'),
  toldUpTo: natural.describe('The number of the last audit entry that is dealt with.'),
  failing: z
    .strictObject({
      seq: natural,
      tries: natural,
      because: z.string(),
      behindSeconds: natural.describe('How old the entry is.'),
      retryAt: time(),
    })
    .exactOptional()
    .describe('The entry that cannot be delivered now.'),
  deadLetters: z
    .array(
      z.strictObject({
        seq: natural.describe('The number of the audit entry.'),
        upTo: natural.exactOptional().describe('The last of several that were pruned before they could be delivered.'),
        id: z.string().exactOptional(),
        type: z.string().exactOptional(),
        tries: natural,
        because: z.string(),
        givenUpAt: time(),
      }),
    )
    .describe('What was given up, oldest first. It is in the audit log.'),
});

export const notifications = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readAudit',
    summary: 'Shows for each webhook how far it was told, what fails now, and what was given up.',
    answers: { 200: json(z.strictObject({ webhooks: z.array(webhookAnswer) })) },
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
