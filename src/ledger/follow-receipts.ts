/**
 * Receipts are made from the log, after the publication. A crash between the two loses none, because every broker's sweep
 * follows the log and makes the receipts that are missing. Several brokers may do so at once.
 */
import { defined } from '../domain/defined.js';
import { isId } from '../domain/id.js';
import type { LogEntry } from '../domain/tombstone.js';
import { followLog, type Followed } from '../store/follow-log.js';
import { LogGap } from '../store/store.js';
import { eachSettled } from './each-settled.js';
import { countImpact } from './impact.js';
import { receiptCursor, uncountedIndex } from './keys.js';
import type { Ledger } from './ledger.js';
import { changeReceipt, keepReceipt, readReceipt, type Receipt } from './receipts.js';
import { countTasksUnder } from './tasks-under.js';

/** With more tasks than this to look at, the answer does not wait for the count. */
const COUNTED_AT_ONCE = 256;
const PAGE = 100;

/**
 * Returns the receipt of an entry that was just published and is no lift, counted unless that would take long. The
 * revocation stands whatever happens here: where the store is too full for a receipt, the answer is a receipt that is not
 * stored.
 */
export async function receiptFor(ledger: Ledger, entry: LogEntry): Promise<Receipt> {
  const bare = receiptOf(entry);
  try {
    const receipt = needsReceipt(entry) ? await keepReceipt(ledger, bare) : bare;
    if (receipt.affected || (await countTasksUnder(ledger, entry.selector)) > COUNTED_AT_ONCE) return receipt;
    return await count(ledger, receipt);
  } catch {
    return bare;
  }
}

/** Returns the receipt of an entry that the log still has, as it stood when it was published; undefined when it has none. */
export async function receiptInLog({ log }: Ledger, seq: number): Promise<Receipt | undefined> {
  if (seq < 1) return undefined;
  const [entry] = await log.entries(seq - 1, 1).catch((error: unknown) => {
    if (error instanceof LogGap) return [];
    throw error;
  });
  return entry && entry.effect !== 'lift' && needsReceipt(entry) ? receiptOf(entry) : undefined;
}

/** Makes the receipts that are missing, and records lifts in the receipts of their holds. */
export async function followReceipts(ledger: Ledger): Promise<void> {
  while (await followPage(ledger));
}

/** Counts what the receipts without a count have hit. It is for the sweep: no caller waits for it. */
export async function countReceipts(ledger: Ledger): Promise<void> {
  await eachSettled(await ledger.records.range(uncountedIndex, { limit: PAGE }), async ([, seq]) => {
    const receipt = await readReceipt(ledger, seq);
    if (receipt) await count(ledger, receipt);
  });
}

/** Returns whether there may be more. Another broker that moves the cursor meanwhile has done the same work. */
async function followPage(ledger: Ledger): Promise<boolean> {
  const { records, log } = ledger;
  const [text] = await records.read([receiptCursor]);
  const cursor = Number(text ?? 0);
  const latest = async () => (await log.look([])).epoch.seq;
  const found = await followLog({ entries: log.entries, latest }, { seq: cursor }, PAGE);
  if (found.is === 'entries') for (const entry of found.entries) await follow(ledger, entry);
  const next = cursorAfter(cursor, found);
  if (String(next) !== text)
    await records.commit({ expect: [[receiptCursor, text]], put: [[receiptCursor, String(next)]] });
  return found.is !== 'entries' || found.entries.length === PAGE;
}

function cursorAfter(cursor: number, found: Followed): number {
  if (found.is === 'entries') return cursor + found.entries.length;
  // The receipts of a gap are gone; the audit log says which. A log that was set back is followed from its beginning: what
  // it still has in common with the old one has its receipts, and they are not made twice.
  return found.is === 'gap' ? found.to : 0;
}

async function follow(ledger: Ledger, entry: LogEntry): Promise<void> {
  const { effect, lifts, seq } = entry;
  if (effect === 'lift')
    await changeReceipt(ledger, lifts ?? 0, (hold) =>
      hold.lifted === undefined ? { ...hold, lifted: seq } : undefined,
    );
  else if (needsReceipt(entry)) await keepReceipt(ledger, receiptOf(entry));
}

async function count(ledger: Ledger, receipt: Receipt): Promise<Receipt> {
  const { seq, at, before, selector } = receipt;
  const affected = await countImpact(ledger, { selector, at, published: { seq, before } });
  await changeReceipt(ledger, seq, (current) => (current.affected ? undefined : { ...current, affected }));
  return { ...receipt, affected };
}

/** Ends and suspensions of a task are recorded in the task itself. A revocation has no other record, so it gets a receipt. */
export const needsReceipt = ({ id }: Pick<LogEntry, 'id'>): boolean => isId('rev', id);

const receiptOf = ({
  seq,
  id,
  at,
  selector,
  effect,
  reason,
  ticket,
  actor,
  reaction,
  source,
  seen,
  liftAt,
  before,
}: LogEntry): Receipt =>
  defined({
    seq,
    id,
    at,
    selector,
    effect: effect === 'lift' ? 'hold' : effect,
    reason,
    ticket,
    actor,
    reaction,
    source,
    seen,
    liftAt,
    before,
  });
