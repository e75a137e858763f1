/** What the endpoints of a revocation read and answer: the order, its preview, and its receipt. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { HARD_LIMITS } from '../domain/limits.js';
import { natural } from '../domain/schemas.js';
import { EFFECTS, SELECTOR_KINDS, type Selector } from '../domain/selector.js';
import { toTimestamp } from '../domain/time.js';
import type { Receipt } from '../ledger/receipts.js';
import type { Shown } from '../revocation/effects.js';
import type { Preview } from '../revocation/revoke-by-selector.js';
import { affectedAnswer, countsOf, effectOfRevocation, effectsAnswer, selectorAnswer } from './wire/answers.js';
import { time } from './wire/contract.js';
import type { Call } from './wire/endpoint.js';
import { printable, timestamp } from './wire/fields.js';

const about = {
  at: time().describe('When it was published; of a preview, when it was counted.'),
  selector: selectorAnswer,
  effect: effectOfRevocation,
  seen: z
    .boolean()
    .exactOptional()
    .describe('Whether anything was known by the selector; absent if the store cannot say.'),
  reentry: z.enum(['refused', 'possible']).describe('Whether credentials can be born under the selector again.'),
  effects: effectsAnswer,
};

export const receiptAnswer = z
  .strictObject({
    seq: natural.describe('Its number in the revocation log.'),
    ...about,
    reason: z.string(),
    ticket: z.string().exactOptional(),
    actor: z.string().describe('Who revoked: a party, or the source of a signal.'),
    reaction: z.string().exactOptional().describe('The reaction that published it.'),
    source: z.string().exactOptional().describe('The source of the signal that led to it.'),
    until: time().exactOptional().describe('Of a hold: when it is lifted by itself.'),
    liftedBy: natural.exactOptional().describe('Of a lifted hold: the number of the entry that lifted it.'),
    affected: affectedAnswer.nullable().describe('Null until it is counted, which takes seconds.'),
  })
  .meta({ id: 'Receipt', description: 'A revocation, and how far it has come.' });

export const previewAnswer = z.strictObject({ dryRun: z.literal(true), ...about, affected: affectedAnswer });

export const revocationInput = z
  .strictObject({
    selector: z
      .strictObject({
        kind: z.enum(SELECTOR_KINDS),
        value: z.string().exactOptional().describe('The id or name; left out for `all`.'),
      })
      .transform(({ kind, value = '' }): Selector => ({ kind, value }))
      .exactOptional()
      .describe('What is hit, with everything that hangs on it.'),
    leaked: z
      .string()
      .min(1)
      .max(HARD_LIMITS.subjectTokenBytes)
      .exactOptional()
      .describe(
        'Instead of a selector: the text that was found, with a credential in it, what a target calls one, or a `deferral_code`. Never logged.',
      ),
    effect: z
      .enum(EFFECTS)
      .exactOptional()
      .describe('Default: `end` for a credential or a task, `hold` for anything else.'),
    reason: printable(512).describe('For the audit log.'),
    ticket: printable(128).exactOptional().describe('A number in your own system.'),
    until: timestamp.exactOptional().describe('Of a hold: when it is lifted by itself.'),
    unseen: z
      .boolean()
      .default(false)
      .describe('Yes, it is meant, although nothing was ever seen here of the selector.'),
    dryRun: z.boolean().default(false).describe('Only count what it would hit.'),
  })
  .transform(({ selector, leaked, until, ...order }, context) => {
    const what = selector ?? (leaked === undefined ? undefined : { leaked });
    if (what && (!selector || leaked === undefined)) return defined({ what, liftAt: until, ...order });
    context.addIssue('Name a selector, or the string that leaked: exactly one of them');
    return z.NEVER;
  });

export const SEQ_PATH = { seq: 'The number of the revocation.' };

/**
 * Returns the number in the path. Revocations are numbered from 1, so 0 stands for a text that is no number, and is never
 * found.
 */
export const seqOf = ({ params: { seq = '' } }: Pick<Call, 'params'>): number =>
  /^[1-9]\d{0,14}$/.test(seq) ? Number(seq) : 0;

/** Returns the receipt on the wire. It must be true about what the revocation did (G8). */
export const receiptOnWire = ({ receipt, effects }: Shown) =>
  defined({
    seq: receipt.seq,
    at: toTimestamp(receipt.at),
    selector: receipt.selector,
    effect: receipt.effect,
    reason: receipt.reason,
    ticket: receipt.ticket,
    actor: receipt.actor,
    reaction: receipt.reaction,
    source: receipt.source,
    seen: receipt.seen,
    until: receipt.liftAt === undefined ? undefined : toTimestamp(receipt.liftAt),
    liftedBy: receipt.lifted,
    reentry: reentryOf(receipt),
    affected: receipt.affected ? countsOf(receipt.affected) : null,
    effects,
  });

export const previewOnWire = ({ effects, ...preview }: Preview) =>
  defined({
    dryRun: true,
    at: toTimestamp(preview.at),
    selector: preview.selector,
    effect: preview.effect,
    seen: preview.seen,
    reentry: reentryOf(preview),
    affected: countsOf(preview.affected),
    effects,
  });

/** Returns whether credentials may be minted again under the selector: only after a cutoff, or after a hold is lifted. */
const reentryOf = ({ effect, lifted }: Pick<Receipt, 'effect' | 'lifted'>): 'refused' | 'possible' =>
  effect === 'cutoff' || lifted !== undefined ? 'possible' : 'refused';
