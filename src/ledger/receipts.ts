/** Receipts: what was revoked by hand or by a signal, and what it hit. They are bookkeeping: the log alone ends anything. */
import { z } from 'zod';
import { HISTORY_MS } from '../domain/limits.js';
import { selectorSchema } from '../domain/schemas.js';
import { EFFECTS } from '../domain/selector.js';
import { record } from '../store/record.js';
import { BEHIND_ALL_MEMBERS, type Change } from '../store/store.js';
import { liftIndex, receiptIndex, receiptKey, uncountedIndex } from './keys.js';
import type { Ledger, Versioned } from './ledger.js';
import { updateRecord } from './retry-on-conflict.js';
import { pruneIndex, scanIndex } from './scan-index.js';

const byTargetSchema = z.record(z.string(), z.strictObject({ count: z.int(), latestEnd: z.int() }));
const affectedSchema = z.strictObject({
  credentials: z.int(),
  tasks: z.int(),
  byTarget: byTargetSchema,
  byOwner: z.record(z.string(), z.int()),
});

/**
 * The form of older versions. `sessions` are the credentials whose revocation must be pushed, and `latestEnd` is the latest
 * expiry of all others.
 */
const olderAffectedSchema = affectedSchema
  .extend({ byTarget: z.record(z.string(), z.int()), latestEnd: z.int(), sessions: byTargetSchema.default({}) })
  .transform(({ latestEnd, sessions, byTarget, ...rest }) => ({
    ...rest,
    byTarget: Object.fromEntries(
      Object.entries(byTarget).map(([target, count]) => [target, sessions[target] ?? { count, latestEnd }]),
    ),
  }));

const receiptSchema = z.strictObject({
  seq: z.int(),
  id: z.string(),
  at: z.int(),
  selector: selectorSchema,
  effect: z.enum(EFFECTS),
  reason: z.string(),
  ticket: z.string().optional(),
  actor: z.string(),
  /** The reaction that placed it: what ticket and actor say is no proof of that. */
  reaction: z.string().optional(),
  /** Who reported what the reaction acted on. */
  source: z.string().optional(),
  /** Whether anything was known by the selector. */
  seen: z.boolean().optional(),
  liftAt: z.int().optional(),
  /** The tombstone that the entry joined. Counting needs it. */
  before: z.string().optional(),
  /** The number of the lift, once lifted. */
  lifted: z.int().optional(),
  /** Absent until counted. */
  affected: z.union([affectedSchema, olderAffectedSchema]).optional(),
});

export type Receipt = z.infer<typeof receiptSchema>;

/** A receipt of a hold lasts while the hold can be lifted; any other as long as history does. */
const receipts = record(receiptSchema, receiptKey, {
  expiresAt: ({ at, effect, lifted }) => (effect === 'hold' && lifted === undefined ? undefined : at + HISTORY_MS),
  indexes: (receipt, before) => (before ? { unindex: settled(receipt) } : { index: unsettled(receipt) }),
});

export const readReceipt = async (ledger: Ledger, seq: number): Promise<Receipt | undefined> =>
  (await receipts.read(ledger, seq))?.value;

/** How many receipts one answer reads at most, whatever the filter. */
const LOOKED_AT_MOST = 5_000;
const PAGE = 500;

interface ReceiptPage {
  receipts: Receipt[];
  /** The number to continue after; absent on the last page. A page may be empty and not be the last. */
  next?: number;
}

/**
 * Returns the receipts after a sequence number that match, the oldest first. A receipt that cannot be read is left out and hides no
 * other.
 */
export async function findReceipts(
  ledger: Ledger,
  matches: (receipt: Receipt) => boolean,
  { after, limit }: { after: number; limit: number },
): Promise<ReceiptPage> {
  const found: Receipt[] = [];
  let place = after;
  for (let looked = 0; looked < LOOKED_AT_MOST; looked += PAGE) {
    const page = await ledger.records.range(receiptIndex, { after: [place, BEHIND_ALL_MEMBERS], limit: PAGE });
    const last = page.at(-1)?.[1];
    if (last === undefined) return { receipts: found };
    for (const receipt of await receiptsOn(ledger, page)) {
      if (matches(receipt)) found.push(receipt);
      if (found.length === limit) return { receipts: found, next: receipt.seq };
    }
    place = last;
  }
  return { receipts: found, next: place };
}

/** Yields all receipts in pages, the oldest first. */
export async function* allReceipts(ledger: Ledger): AsyncGenerator<Receipt[]> {
  for await (const page of scanIndex(ledger.records, receiptIndex, { limit: 100 })) yield receiptsOn(ledger, page);
}

async function receiptsOn({ records }: Ledger, page: readonly [member: string, seq: number][]): Promise<Receipt[]> {
  const texts = await records.read(page.map(([, seq]) => receiptKey(seq)));
  return texts.flatMap((text) => readable(text) ?? []);
}

/**
 * Writes the receipt unless it exists, and returns the one that stands afterwards. A receipt that cannot be read, or has its
 * number from a log that was lost, is replaced.
 */
export async function keepReceipt(ledger: Ledger, receipt: Receipt): Promise<Receipt> {
  const { seq, id, liftAt } = receipt;
  const [text] = await ledger.records.read([receiptKey(seq)]);
  const there = readable(text);
  if (there?.id === id) return there;
  // The hold that is replaced may have had an end; the new one must not be lifted by it.
  const also: Change = liftAt === undefined ? { unindex: [[liftIndex, String(seq)]] } : {};
  if (text === undefined) await receipts.write(ledger, seq, undefined, receipt);
  else await receipts.write(ledger, seq, { text }, receipt, also);
  return (await readReceipt(ledger, seq)) ?? receipt;
}

/**
 * Changes the record by `change`, which returns undefined when there is nothing to do. Returns null when there is no such
 * receipt, or none that can be read.
 */
export const changeReceipt = (
  ledger: Ledger,
  seq: number,
  change: (receipt: Receipt) => Receipt | undefined,
): Promise<Receipt | null> => updateRecord(ledger, { ...receipts, read: readIfReadable }, seq, change);

/** Removes from the indexes those receipts that have expired. */
export const pruneReceipts = ({ records }: Ledger): Promise<void> =>
  pruneIndex(records, receiptIndex, { keyOf: (seq) => receiptKey(Number(seq)), also: [uncountedIndex, liftIndex] });

async function readIfReadable({ records }: Ledger, seq: number): Promise<Versioned<Receipt> | undefined> {
  const [text] = await records.read([receiptKey(seq)]);
  const value = readable(text);
  return text === undefined || value === undefined ? undefined : { text, value };
}

function readable(text: string | undefined): Receipt | undefined {
  if (text === undefined) return undefined;
  try {
    return receipts.parse(text);
  } catch {
    return undefined;
  }
}

type Indexed = NonNullable<Change['index']>[number];
type Unindexed = NonNullable<Change['unindex']>[number];

function unsettled({ seq, liftAt }: Receipt): Indexed[] {
  const member = String(seq);
  return [
    [receiptIndex, member, seq],
    [uncountedIndex, member, seq],
    ...(liftAt === undefined ? [] : [[liftIndex, member, liftAt] satisfies Indexed]),
  ];
}

function settled({ seq, affected, lifted }: Receipt): Unindexed[] {
  const member = String(seq);
  return [
    ...(affected ? [[uncountedIndex, member] satisfies Unindexed] : []),
    ...(lifted === undefined ? [] : [[liftIndex, member] satisfies Unindexed]),
  ];
}
