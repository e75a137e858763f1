/** Receipts of revocations for callers that may read them, and the lifting of holds. */
import { publishedBy } from '../authorization/audit.js';
import type { Permitted } from '../authorization/permission.js';
import type { PermitDeps } from '../authorization/permit.js';
import { permitRevocation } from '../authorization/permit-revocation.js';
import { BrokerError } from '../domain/errors.js';
import { BROKER } from '../domain/reserved.js';
import type { RequestTrace } from '../domain/request-trace.js';
import { EVERYTHING } from '../domain/selector.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { eachSettled } from '../ledger/each-settled.js';
import { followReceipts, receiptInLog } from '../ledger/follow-receipts.js';
import { liftIndex } from '../ledger/keys.js';
import type { Ledger } from '../ledger/ledger.js';
import { findReceipts, readReceipt, type Receipt } from '../ledger/receipts.js';
import { lift } from '../ledger/revoke.js';

export const showReceipt = (ledger: Ledger, _: Permitted<'readRevocations'>, seq: number): Promise<Receipt> =>
  knownReceipt(ledger, seq);

/** Of a hold, whether it is in force. Other effects have no state: they are done. */
export const HOLD_STATES = ['held', 'lifted'] as const;

export interface ReceiptFilter {
  /** The reaction that placed it. */
  reaction?: string;
  /** Who reported what the reaction acted on. */
  source?: string;
  state?: (typeof HOLD_STATES)[number];
}

export const showReceipts = (
  ledger: Ledger,
  _: Permitted<'readRevocations'>,
  filter: ReceiptFilter,
  page: { after: number; limit: number },
) => findReceipts(ledger, (receipt) => matches(receipt, filter), page);

export const matches = (receipt: Receipt, { reaction, source, state }: ReceiptFilter): boolean =>
  (reaction === undefined || reaction === receipt.reaction) &&
  (source === undefined || source === receipt.source) &&
  (state === undefined || (receipt.effect === 'hold' && (state === 'lifted') === (receipt.lifted !== undefined)));

/** The hold that policy permits the caller to lift; undefined when there is no revocation with that number. */
type PermittedLift = Permitted<'revoke', { hold: Receipt | undefined }>;

/**
 * Policy decides about the hold's own selector. Without a receipt it is asked about "all": a number that does not exist is then
 * refused like one that the caller may not lift, except to callers that may lift everything.
 */
export async function permitLift(deps: PermitDeps, caller: AuthenticatedCaller, seq: number): Promise<PermittedLift> {
  const subject = { hold: await findReceipt(deps.ledger, seq) };
  return permitRevocation(deps, caller, subject, revocationToLift);
}

/** Returns what policy is asked about before a hold is lifted. */
export const revocationToLift = ({ hold }: { hold: Receipt | undefined }) =>
  ({ ...(hold?.selector ?? EVERYTHING), effect: 'lift', dryRun: false }) as const;

/** Lifts a hold, so that new credentials can be born under it. The credentials that the hold killed stay dead. */
export const liftHold = (
  ledger: Ledger,
  { caller, subject: { hold } }: PermittedLift,
  { reason = 'lifted' }: { reason?: string },
): Promise<Receipt> => publishFoundLift(ledger, hold, { ...publishedBy(caller), reason });

interface By {
  actor: string;
  reason: string;
  trace?: RequestTrace;
}

/** Lifts a hold without asking whether anybody may: for whoever has the store's credentials. */
export const publishLift = async (ledger: Ledger, seq: number, by: By): Promise<Receipt> =>
  publishFoundLift(ledger, await findReceipt(ledger, seq), by);

async function publishFoundLift(ledger: Ledger, hold: Receipt | undefined, by: By): Promise<Receipt> {
  if (!hold) throw unknownNumber();
  const entry = hold.effect === 'hold' ? await lift(ledger, hold, by) : undefined;
  if (!entry) throw notHeld();
  // The hold is lifted, whatever happens here: a store that is too full to record it gets the record later.
  const recorded = await followReceipts(ledger).then(
    () => readReceipt(ledger, hold.seq),
    () => undefined,
  );
  return recorded ?? { ...hold, lifted: entry.seq };
}

/**
 * Returns the receipt of a revocation. It is taken from the log where there is none yet: the broker that published the
 * revocation died before it made one, or the store was too full for it.
 */
const findReceipt = async (ledger: Ledger, seq: number): Promise<Receipt | undefined> =>
  (await readReceipt(ledger, seq)) ?? receiptInLog(ledger, seq);

/** Lifts the holds whose `until` is past. If two brokers lift the same hold at once, the log has one entry. */
export async function liftDueHolds(ledger: Ledger): Promise<void> {
  const due = await ledger.records.range(liftIndex, { to: ledger.clock.now(), limit: 100 });
  const lifting = eachSettled(due, async ([seq]) => {
    const hold = await readReceipt(ledger, Number(seq));
    // The receipt decides, not the index: after the loss of a log, another hold may have the number, and perhaps no end.
    const isDue = hold?.liftAt !== undefined && hold.liftAt <= ledger.clock.now();
    const by = { id: `until:${seq}:${hold?.id ?? ''}`, actor: BROKER, reason: 'its time was up' };
    // An entry without a hold that is due leaves the index, or it would stay first in it.
    if (!isDue || !(await lift(ledger, hold, by))) await ledger.records.commit({ unindex: [[liftIndex, seq]] });
  });
  try {
    await lifting;
  } finally {
    await followReceipts(ledger);
  }
}

async function knownReceipt(ledger: Ledger, seq: number): Promise<Receipt> {
  const receipt = await readReceipt(ledger, seq);
  if (!receipt) throw unknownNumber();
  return receipt;
}

const unknownNumber = () => new BrokerError('not_found', 'There is no revocation with that number.');

const notHeld = () => new BrokerError('conflict', 'That revocation is not a hold, or is lifted already.');
