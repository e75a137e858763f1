/**
 * The state of delivery to each webhook, one record each: the lease of the broker that delivers, how far it has come in the
 * audit log, and what fails; and dead letters. The audit log is the outbox: of an event only its number is recorded here.
 */
import { z } from 'zod';
import { moment, natural } from '../domain/schemas.js';
import { DAY_MS } from '../domain/time.js';
import { record } from '../store/record.js';
import type { Change } from '../store/store.js';
import { deadLetterIndex, deadLetterKey, webhookKey } from './keys.js';
import type { Versioned, Ledger } from './ledger.js';

const webhookSchema = z.strictObject({
  revision: natural,
  /** The last audit entry that is dealt with: it was delivered, was given up, or the webhook does not want its type. */
  after: natural,
  holder: z.string(),
  leasedUntil: moment,
  /** The entry whose delivery fails, and when it is tried again. `at` is the entry's own time. */
  failing: z
    .strictObject({ seq: natural, at: moment, tries: z.int().positive(), retryAt: moment, because: z.string() })
    .optional(),
});

export type WebhookRecord = z.infer<typeof webhookSchema>;

const deadLetterSchema = z.strictObject({
  /** The number of the audit entry, or of the first of several. */
  seq: natural,
  /** The last of several that were pruned before they could be delivered. */
  upTo: natural.optional(),
  /** The id of the CloudEvent, which is that of the audit entry. */
  id: z.string().optional(),
  type: z.string().optional(),
  givenUpAt: moment,
  tries: natural,
  because: z.string(),
});

export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** The latest dead letters of a webhook are kept, and for so long. Their events are in the audit log. */
const DEAD_LETTERS_KEPT = 256;
const KEPT_MS = 30 * DAY_MS;

const webhooks = record(webhookSchema, webhookKey, { renamed: { heldUntil: 'leasedUntil' } });

export const { read: readWebhook } = webhooks;

/**
 * Returns undefined when another broker wrote first. A dead letter is committed together with the step past its entry:
 * without it, a crash between the two would lose the letter or write it twice.
 */
export async function writeWebhook(
  ledger: Ledger,
  name: string,
  stored: Versioned<WebhookRecord> | undefined,
  { dead, ...next }: Omit<WebhookRecord, 'revision'> & { dead?: DeadLetter },
): Promise<Versioned<WebhookRecord> | undefined> {
  return webhooks.write(ledger, name, stored, next, dead && (await deadLetterChange(ledger, name, dead)));
}

/** Returns the dead letters of a webhook, the oldest first. */
export async function listDeadLetters({ records }: Ledger, name: string): Promise<DeadLetter[]> {
  const page = await records.range(deadLetterIndex(name), { limit: DEAD_LETTERS_KEPT });
  const texts = await records.read(page.map(([member]) => deadLetterKey(name, member)));
  return texts.flatMap((text) => (text === undefined ? [] : [deadLetterSchema.parse(JSON.parse(text))]));
}

/** Writes a dead letter, and removes those that are too many or too old. */
async function deadLetterChange({ records }: Ledger, name: string, letter: DeadLetter): Promise<Change> {
  const index = deadLetterIndex(name);
  // Members are compared as text, so the number is padded: of two letters of the same time the lower number comes first.
  const member = String(letter.seq).padStart(16, '0');
  const there = await records.range(index, { limit: DEAD_LETTERS_KEPT });
  const tooMany = there.length + 1 - DEAD_LETTERS_KEPT;
  const gone = there.filter(
    ([other, at], place) => other !== member && (place < tooMany || at + KEPT_MS <= letter.givenUpAt),
  );
  return {
    put: [[deadLetterKey(name, member), JSON.stringify(letter), letter.givenUpAt + KEPT_MS]],
    remove: gone.map(([other]) => deadLetterKey(name, other)),
    index: [[index, member, letter.givenUpAt]],
    unindex: gone.map(([other]) => [index, other]),
  };
}
