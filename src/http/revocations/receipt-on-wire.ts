/** What a revocation did, said truthfully (G8). */
import { defined } from '../../domain/defined.js';
import { toTimestamp } from '../../domain/time.js';
import type { Affected } from '../../ledger/impact.js';
import type { Receipt } from '../../ledger/receipts.js';
import type { Shown } from '../../revocation/effects.js';
import type { Preview } from '../../revocation/revoke-by-selector.js';

export const receiptOnWire = ({ receipt, effects }: Shown) =>
  defined({
    seq: receipt.seq,
    at: toTimestamp(receipt.at),
    selector: receipt.selector,
    effect: receipt.effect,
    reason: receipt.reason,
    ticket: receipt.ticket,
    actor: receipt.actor,
    until: receipt.liftAt === undefined ? undefined : toTimestamp(receipt.liftAt),
    liftedBy: receipt.lifted,
    reentry: reentryOf(receipt),
    affected: receipt.affected ? countsOf(receipt.affected) : null,
    effects,
  });

export const previewOnWire = ({ effects, ...preview }: Preview) => ({
  dryRun: true,
  at: toTimestamp(preview.at),
  selector: preview.selector,
  effect: preview.effect,
  reentry: reentryOf(preview),
  affected: countsOf(preview.affected),
  effects,
});

/** Whether this revocation lets anything be born again under its selector: only a cutoff does, or a hold that is lifted. */
const reentryOf = ({ effect, lifted }: Pick<Receipt, 'effect' | 'lifted'>): 'refused' | 'possible' =>
  effect === 'cutoff' || lifted !== undefined ? 'possible' : 'refused';

export const countsOf = ({ credentials, tasks, byTarget, byOwner }: Affected) => ({
  credentials,
  tasks,
  byTarget,
  byOwner,
});
