/** Receipts: what was revoked by hand or by signal, and what it did. Bookkeeping beside the log, never what makes something dead. */
import { z } from 'zod';
import { HISTORY_MS } from '../domain/limits.js';
import { EFFECTS } from '../domain/selector.js';
import { selectorSchema } from '../domain/selector-schema.js';
import type { Change } from '../store/store.js';
import { retryOnConflict } from './retry-on-conflict.js';
import type { Ledger } from './ledger.js';
import { liftIndex, receiptIndex, receiptKey, uncountedIndex } from './keys.js';

const affectedSchema = z.strictObject({
  credentials: z.int(),
  tasks: z.int(),
  byTarget: z.record(z.string(), z.int()),
  byOwner: z.record(z.string(), z.int()),
  latestEnd: z.int(),
  sessions: z.record(z.string(), z.strictObject({ count: z.int(), latestEnd: z.int() })).default({}),
});

const receiptSchema = z.strictObject({
  seq: z.int(),
  id: z.string(),
  at: z.int(),
  selector: selectorSchema,
  effect: z.enum(EFFECTS),
  reason: z.string(),
  ticket: z.string().optional(),
  actor: z.string(),
  liftAt: z.int().optional(),
  /** The tombstone it joined: counting needs it. */
  before: z.string().optional(),
  /** The number of the lift, once lifted. */
  lifted: z.int().optional(),
  /** Absent until counted. */
  affected: affectedSchema.optional(),
});

export type Receipt = z.infer<typeof receiptSchema>;

export async function readReceipt({ records }: Ledger, seq: number): Promise<Receipt | undefined> {
  const [text] = await records.read([receiptKey(seq)]);
  return text === undefined ? undefined : receiptSchema.parse(JSON.parse(text));
}

/** Oldest first, after a sequence number. One that cannot be read hides no other. */
export async function listReceipts({ records }: Ledger, after: number, limit: number): Promise<Receipt[]> {
  const page = await records.range(receiptIndex, { after: [after, AFTER_ANY_MEMBER], limit });
  const texts = await records.read(page.map(([, seq]) => receiptKey(seq)));
  return texts.flatMap((text) => readable(text) ?? []);
}

/** Writes it unless it is there; one that cannot be read, or has its number from a log that was lost, gives way. Answers what then stands. */
export async function keepReceipt(ledger: Ledger, receipt: Receipt): Promise<Receipt> {
  const { seq, id, liftAt } = receipt;
  const member = String(seq);
  const { records } = ledger;
  const [text] = await records.read([receiptKey(seq)]);
  const there = readable(text);
  if (there?.id === id) return there;
  await records.commit({
    expect: [[receiptKey(seq), text]],
    put: [written(receipt)],
    index: [
      [receiptIndex, member, seq],
      [uncountedIndex, member, seq],
      ...(liftAt === undefined ? [] : [[liftIndex, member, liftAt] satisfies Indexed]),
    ],
  });
  return (await readReceipt(ledger, seq)) ?? receipt;
}

/** `change` may answer undefined: nothing to do. Null: there is no such receipt, or none that can be read. */
export function changeReceipt(
  ledger: Ledger,
  seq: number,
  change: (receipt: Receipt) => Receipt | undefined,
): Promise<Receipt | null> {
  return retryOnConflict(ledger, async () => {
    const [text] = await ledger.records.read([receiptKey(seq)]);
    const receipt = readable(text);
    if (!receipt) return null;
    const next = change(receipt);
    if (!next) return receipt;
    const done = await ledger.records.commit({
      expect: [[receiptKey(seq), text]],
      put: [written(next)],
      unindex: settled(next),
    });
    return done ? next : undefined;
  });
}

/** Receipts that are past their history leave the list. */
export async function pruneReceipts({ records }: Ledger): Promise<void> {
  const page = await records.range(receiptIndex, { limit: 1_000 });
  const texts = await records.read(page.map(([, seq]) => receiptKey(seq)));
  const gone = page.filter((_, index) => texts[index] === undefined);
  const indexes = [receiptIndex, uncountedIndex, liftIndex];
  if (gone.length > 0)
    await records.commit({
      unindex: gone.flatMap(([member]) => indexes.map((index): [typeof index, string] => [index, member])),
    });
}

function readable(text: string | undefined): Receipt | undefined {
  if (text === undefined) return undefined;
  try {
    return receiptSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

type Put = NonNullable<Change['put']>[number];
type Indexed = NonNullable<Change['index']>[number];
type Unindexed = NonNullable<Change['unindex']>[number];

/** A hold's receipt lasts while it can be lifted; others as long as history does. */
function written(receipt: Receipt): Put {
  const { seq, at, effect, lifted } = receipt;
  const text = JSON.stringify(receipt);
  return effect === 'hold' && lifted === undefined ? [receiptKey(seq), text] : [receiptKey(seq), text, at + HISTORY_MS];
}

function settled({ seq, affected, lifted }: Receipt): Unindexed[] {
  const member = String(seq);
  return [
    ...(affected ? [[uncountedIndex, member] satisfies Unindexed] : []),
    ...(lifted === undefined ? [] : [[liftIndex, member] satisfies Unindexed]),
  ];
}

/** Sorts behind every member, all of which are digits. */
const AFTER_ANY_MEMBER = '~';
