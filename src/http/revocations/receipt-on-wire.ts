/** What a revocation did, said truthfully (G8). */
import { toTimestamp } from '../../domain/time.js';
import type { Affected } from '../../ledger/impact.js';
import type { Receipt } from '../../ledger/receipts.js';
import type { Preview } from '../../revoker/revocations.js';

export const receiptOnWire = (receipt: Receipt, now: number) => ({
  seq: receipt.seq,
  at: toTimestamp(receipt.at),
  selector: receipt.selector,
  effect: receipt.effect,
  reason: receipt.reason,
  ...(receipt.ticket !== undefined && { ticket: receipt.ticket }),
  actor: receipt.actor,
  ...(receipt.liftAt !== undefined && { until: toTimestamp(receipt.liftAt) }),
  ...(receipt.lifted !== undefined && { liftedBy: receipt.lifted }),
  reentry: reentryOf(receipt),
  affected: receipt.affected ? countsOf(receipt.affected) : null,
  effects: effectsOf(receipt.affected, now),
});

export const previewOnWire = (preview: Preview, now: number) => ({
  dryRun: true,
  at: toTimestamp(preview.at),
  selector: preview.selector,
  effect: preview.effect,
  reentry: reentryOf(preview),
  affected: countsOf(preview.affected),
  effects: effectsOf(preview.affected, now),
});

/** Whether this revocation lets anything be born again under its selector: only a cutoff does, or a hold that is lifted. */
const reentryOf = ({ effect, lifted }: Pick<Receipt, 'effect' | 'lifted'>): 'refused' | 'possible' =>
  effect === 'cutoff' || lifted !== undefined ? 'possible' : 'refused';

const countsOf = ({ credentials, tasks, byTarget, byOwner }: Affected) => ({ credentials, tasks, byTarget, byOwner });

/**
 * Every online check refuses at once. A verifier that looks at signature and `exp` alone goes on believing for as long as
 * the last of the tokens runs, and no longer.
 */
function effectsOf(affected: Affected | undefined, now: number) {
  if (!affected) return [{ kind: 'jwt', effect: 'counting' }];
  if (affected.credentials === 0) return [];
  const boundedBySeconds = Math.max(0, Math.ceil((affected.latestEnd - now) / 1000));
  return [{ kind: 'jwt', effect: 'immediate', count: affected.credentials, boundedBySeconds }];
}
