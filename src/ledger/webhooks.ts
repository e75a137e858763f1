/**
 * How far each webhook has been told of the audit log, who tells it, and what it could not be told: one record a webhook,
 * changed by compare-and-set. The audit log is the outbox; nothing of an event is kept here but its number.
 */
import { z } from 'zod';
import { record } from '../store/record.js';
import type { Change } from '../store/store.js';
import type { Versioned, Ledger } from './ledger.js';
import { deadLetterIndex, deadLetterKey, webhookKey } from './keys.js';
import { moment, natural } from '../domain/schemas.js';

const webhookSchema = z.strictObject({
  revision: natural,
  /** The last audit entry that needs no telling any more: it was told, was given up, or is none of its business. */
  after: natural,
  holder: z.string(),
  heldUntil: moment,
  /** The entry that it does not take, and what is done about that. `at` is the entry's. */
  failing: z
    .strictObject({ seq: natural, at: moment, tries: z.int().positive(), retryAt: moment, because: z.string() })
    .optional(),
});

export type WebhookRecord = z.infer<typeof webhookSchema>;

const deadLetterSchema = z.strictObject({
  /** The number of the audit entry, or of the first of several. */
  seq: natural,
  /** The last of several: they were pruned before they could be told. */
  upTo: natural.optional(),
  /** Of the CloudEvent, and of the audit entry. */
  id: z.string().optional(),
  type: z.string().optional(),
  givenUpAt: moment,
  tries: natural,
  because: z.string(),
});

export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** For each webhook the latest are kept, and no longer than this. What they speak of is in the audit log. */
const LETTERS_KEPT = 256;
const KEPT_MS = 30 * 86_400_000;

const webhooks = record(webhookSchema, webhookKey);

export const { read: readWebhook } = webhooks;

/** Undefined: another broker wrote first. A dead letter is written with the step beyond it, or not at all. */
export async function writeWebhook(
  ledger: Ledger,
  name: string,
  stored: Versioned<WebhookRecord> | undefined,
  { dead, ...next }: Omit<WebhookRecord, 'revision'> & { dead?: DeadLetter },
): Promise<Versioned<WebhookRecord> | undefined> {
  return webhooks.write(ledger, name, stored, next, dead && (await deadLetterChange(ledger, name, dead)));
}

/** Oldest first. */
export async function listDeadLetters({ records }: Ledger, name: string): Promise<DeadLetter[]> {
  const page = await records.range(deadLetterIndex(name), { limit: LETTERS_KEPT });
  const texts = await records.read(page.map(([member]) => deadLetterKey(name, member)));
  return texts.flatMap((text) => (text === undefined ? [] : [deadLetterSchema.parse(JSON.parse(text))]));
}

/** Writes a dead letter, and removes those that are too many or too old. */
async function deadLetterChange({ records }: Ledger, name: string, letter: DeadLetter): Promise<Change> {
  const index = deadLetterIndex(name);
  // Of one moment the lower number is the older: members are compared as text.
  const member = String(letter.seq).padStart(16, '0');
  const there = await records.range(index, { limit: LETTERS_KEPT });
  const tooMany = there.length + 1 - LETTERS_KEPT;
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
