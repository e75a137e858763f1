/** Receipts as they stand now, and the lifting of holds. */
import { permitOnBroker } from '../broker/permit.js';
import { BrokerError } from '../domain/errors.js';
import type { Proven } from '../identity/caller.js';
import { followReceipts } from '../ledger/follow-receipts.js';
import type { Ledger } from '../ledger/ledger.js';
import { liftIndex } from '../ledger/names.js';
import { listReceipts, readReceipt, type Receipt } from '../ledger/receipts.js';
import type { RevocationDeps } from './revocations.js';
import { lift } from './revoke.js';

export async function showReceipt(
  deps: RevocationDeps,
  caller: Proven,
  { seq, requestId }: { seq: number; requestId: string },
): Promise<Receipt> {
  await permitOnBroker(deps, caller, 'readRevocations', { requestId });
  return knownReceipt(deps.ledger, seq);
}

export async function showReceipts(
  deps: RevocationDeps,
  caller: Proven,
  { after, limit, requestId }: { after: number; limit: number; requestId: string },
): Promise<Receipt[]> {
  await permitOnBroker(deps, caller, 'readRevocations', { requestId });
  return listReceipts(deps.ledger, after, limit);
}

/** Lifting allows new births; what the hold has killed stays dead. */
export async function liftHold(
  deps: RevocationDeps,
  caller: Proven,
  { seq, reason, requestId }: { seq: number; reason?: string; requestId: string },
): Promise<Receipt> {
  const { ledger } = deps;
  const receipt = await readReceipt(ledger, seq);
  const revocation = { ...(receipt?.selector ?? { kind: 'all', value: '' }), effect: 'lift', dryRun: false };
  await permitOnBroker(deps, caller, 'revoke', { requestId, revocation });
  return liftNumber(ledger, seq, { actor: caller.party.id, reason: reason ?? 'lifted' });
}

/** For whoever may. */
export async function liftNumber(ledger: Ledger, seq: number, by: { actor: string; reason: string }): Promise<Receipt> {
  if (!(await readReceipt(ledger, seq))) await followReceipts(ledger); // Its publisher may have died before it made one.
  const hold = await knownReceipt(ledger, seq);
  if (hold.effect !== 'hold' || !(await lift(ledger, hold, by))) throw notHeld();
  await followReceipts(ledger);
  return knownReceipt(ledger, seq);
}

/** Holds that were placed with an end. Two sweeps that lift the same one publish one lift. */
export async function liftDueHolds(ledger: Ledger): Promise<void> {
  for (const [seq] of await ledger.records.range(liftIndex, { to: ledger.clock.now(), limit: 100 })) {
    const hold = await readReceipt(ledger, Number(seq));
    const by = { id: `until:${seq}:${hold?.id ?? ''}`, actor: 'broker', reason: 'its time was up' };
    // A hold that is gone, e.g. with a log that was lost, must not stand in the way of those that are due.
    if (!hold || !(await lift(ledger, hold, by))) await ledger.records.commit({ unindex: [[liftIndex, seq]] });
  }
  await followReceipts(ledger);
}

async function knownReceipt(ledger: Ledger, seq: number): Promise<Receipt> {
  const receipt = await readReceipt(ledger, seq);
  if (!receipt) throw new BrokerError('not_found', 'There is no revocation with that number.', { retry: 'never' });
  return receipt;
}

const notHeld = () =>
  new BrokerError('conflict', 'That revocation is not a hold, or is lifted already.', { retry: 'never' });
