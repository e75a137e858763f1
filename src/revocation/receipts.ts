/** Receipts as they stand now, and the lifting of holds. */
import { permitOnBroker } from '../authorization/permit.js';
import { BrokerError } from '../domain/errors.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { followReceipts } from '../ledger/follow-receipts.js';
import { eachSettled } from '../ledger/each-settled.js';
import type { Ledger } from '../ledger/ledger.js';
import { liftIndex } from '../ledger/keys.js';
import { listReceipts, readReceipt, type Receipt } from '../ledger/receipts.js';
import type { RevocationDeps } from './revoke-by-selector.js';
import { lift } from '../ledger/revoke.js';

export async function showReceipt(
  deps: RevocationDeps,
  caller: AuthenticatedCaller,
  { seq, requestId }: { seq: number; requestId: string },
): Promise<Receipt> {
  await permitOnBroker(deps, caller, 'readRevocations', { requestId });
  return knownReceipt(deps.ledger, seq);
}

export async function showReceipts(
  deps: RevocationDeps,
  caller: AuthenticatedCaller,
  { after, limit, requestId }: { after: number; limit: number; requestId: string },
): Promise<Receipt[]> {
  await permitOnBroker(deps, caller, 'readRevocations', { requestId });
  return listReceipts(deps.ledger, after, limit);
}

/** Lifting allows new births; what the hold has killed stays dead. */
export async function liftHold(
  deps: RevocationDeps,
  caller: AuthenticatedCaller,
  { seq, reason, requestId }: { seq: number; reason?: string; requestId: string },
): Promise<Receipt> {
  const { ledger } = deps;
  const hold = await findReceipt(ledger, seq);
  // What is permitted is what is lifted: without a receipt nothing is, and who may lift all alone learns that there is none.
  const revocation = { ...(hold?.selector ?? { kind: 'all', value: '' }), effect: 'lift', dryRun: false };
  await permitOnBroker(deps, caller, 'revoke', { requestId, revocation });
  return liftFound(ledger, hold, { actor: caller.party.id, reason: reason ?? 'lifted' });
}

/** For whoever may. */
export const liftNumber = async (ledger: Ledger, seq: number, by: By): Promise<Receipt> =>
  liftFound(ledger, await findReceipt(ledger, seq), by);

interface By {
  actor: string;
  reason: string;
}

async function liftFound(ledger: Ledger, hold: Receipt | undefined, by: By): Promise<Receipt> {
  if (!hold) throw unknownNumber();
  if (hold.effect !== 'hold' || !(await lift(ledger, hold, by))) throw notHeld();
  await followReceipts(ledger);
  return knownReceipt(ledger, hold.seq);
}

/** Its publisher may have died before it made one. */
async function findReceipt(ledger: Ledger, seq: number): Promise<Receipt | undefined> {
  const receipt = await readReceipt(ledger, seq);
  if (receipt) return receipt;
  await followReceipts(ledger);
  return readReceipt(ledger, seq);
}

/** Holds that were placed with an end. Two sweeps that lift the same one publish one lift. */
export async function liftDueHolds(ledger: Ledger): Promise<void> {
  const due = await ledger.records.range(liftIndex, { to: ledger.clock.now(), limit: 100 });
  const lifting = eachSettled(due, async ([seq]) => {
    const hold = await readReceipt(ledger, Number(seq));
    const by = { id: `until:${seq}:${hold?.id ?? ''}`, actor: 'broker', reason: 'its time was up' };
    // A hold that is gone, e.g. with a log that was lost, must not stand in the way of those that are due.
    if (!hold || !(await lift(ledger, hold, by))) await ledger.records.commit({ unindex: [[liftIndex, seq]] });
  });
  await lifting.finally(() => followReceipts(ledger));
}

async function knownReceipt(ledger: Ledger, seq: number): Promise<Receipt> {
  const receipt = await readReceipt(ledger, seq);
  if (!receipt) throw unknownNumber();
  return receipt;
}

const unknownNumber = () => new BrokerError('not_found', 'There is no revocation with that number.');

const notHeld = () => new BrokerError('conflict', 'That revocation is not a hold, or is lifted already.');
