/** Whether a reaction holds its subject already: a second hold would hold no more, and want a second lift. */
import { cause, type Selector } from '../domain/selector.js';
import type { Ledger } from '../ledger/ledger.js';
import { readReceipt } from '../ledger/receipts.js';

/** Its number in the log. Another's hold does not count: whoever lifts that knows nothing of this reaction. */
export async function standingHold(
  ledger: Ledger,
  { kind, value }: Selector,
  ticket: string,
): Promise<number | undefined> {
  const subject = cause(kind, value);
  const [tombstone] = (await ledger.log.look([subject])).on([subject]);
  const receipts = await Promise.all((tombstone?.holds ?? []).map((seq) => readReceipt(ledger, seq)));
  return receipts.find((receipt) => receipt?.ticket === ticket && receipt.liftAt === undefined)?.seq;
}
