/** The endpoints of a revocation: revoke or preview, list, show, lift. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { HARD_LIMITS } from '../domain/limits.js';
import { nameSchema, natural } from '../domain/schemas.js';
import { EFFECTS, SELECTOR_KINDS, type Selector } from '../domain/selector.js';
import { toTimestamp } from '../domain/time.js';
import { affectedAnswer, countsOf, effectOfRevocation, effectsAnswer, selectorAnswer } from './wire/answers.js';
import { json, time } from './wire/contract.js';
import { ok, type Call } from './wire/endpoint.js';
import { printable, timestamp, wholeNumber } from './wire/fields.js';
import { brokerOperation, operation } from './wire/operation.js';
import type { Receipt } from '../ledger/receipts.js';
import { allWithEffects, withEffects, type Shown } from '../revocation/effects.js';
import { liftAll } from '../revocation/lift-all.js';
import { HOLD_STATES, liftHold, permitLift, showReceipts, type ReceiptFilter } from '../revocation/receipts.js';
import {
  isDryRun,
  isTakingBack,
  permitBySelector,
  previewRevocation,
  revokeBySelector,
  type Preview,
} from '../revocation/revoke-by-selector.js';
import type { HttpDeps } from './deps.js';
import { endQuestion, questionAnswer } from './leaked-code.js';

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

const previewAnswer = z.strictObject({ dryRun: z.literal(true), ...about, affected: affectedAnswer });

const revocationInput = z
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

/** POST /revocations ends, cuts off or holds whatever hangs on a selector. With `dryRun` it counts what it would hit. */
export const revocation = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'revoke',
    summary:
      'Ends, cuts off or holds whatever hangs on a selector; of a leaked deferral code it takes the question back. With ' +
      '`dryRun` it only says what that would hit.',
    answers: { 200: json(z.union([receiptAnswer, previewAnswer, questionAnswer])) },
    refusals: ['not_found', 'conflict'],
    from: 'body',
    input: revocationInput,
    charged: () => 'caller',
    permit: (caller, input) => permitBySelector(deps, caller, input),
    async act(order, input, { requestId }) {
      if (isTakingBack(order)) return ok(await endQuestion(deps, order, { ...input, requestId }));
      // Whatever stops a theft has no limit. A drill stops none, and every verifier would keep what each of thousands leaves.
      if (order.subject.selector.kind === 'drill') await deps.assertWithinRate(order.caller.party);
      if (isDryRun(order)) return ok(previewOnWire(await previewRevocation(deps, order, { ...input, requestId })));
      const receipt = await revokeBySelector(deps, order, input);
      const headers = { Location: `${deps.issuer}/revocations/${receipt.seq}` };
      return { status: 200, headers, body: receiptOnWire(await withEffects(deps.ledger, receipt)) };
    },
  });

const paging = {
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0).describe('Those with a higher number.'),
  limit: wholeNumber(1, 1_000).default(100).describe('So many at most. Default: 100.'),
};

const filter = {
  reaction: nameSchema().exactOptional().describe('Those that this reaction published.'),
  source: nameSchema().exactOptional().describe('Those that a signal of this source led to.'),
};

/** GET /revocations returns receipts as they stand now, oldest first, in pages: all, or those of a reaction, a source, a state. */
export const revocationList = (deps: HttpDeps) =>
  receiptList(deps, {
    summary: 'Lists revocations by hand and by signal, oldest first, each as it stands now.',
    input: z.strictObject({
      ...filter,
      state: z.enum(HOLD_STATES).exactOptional().describe('Holds that are in force, or that are lifted.'),
      ...paging,
    }),
  });

/** GET /holds is the list of revocations for `state=held`: whoever looks for what is held looks for that name. */
export const holdList = (deps: HttpDeps) =>
  receiptList(deps, {
    summary: 'Lists the holds that are in force, oldest first: the same as `GET /revocations?state=held`.',
    input: z.strictObject({ ...filter, ...paging }).transform((asked) => ({ ...asked, state: 'held' as const })),
  });

interface ReceiptList {
  summary: string;
  input: z.ZodType<ReceiptFilter & { after: number; limit: number }>;
}

const receiptList = (deps: HttpDeps, { summary, input }: ReceiptList) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    summary,
    answers: {
      200: json(
        z.strictObject({
          revocations: z.array(receiptAnswer),
          next: natural.exactOptional().describe('The `after` of the next page; absent on the last.'),
        }),
      ),
    },
    from: 'query',
    input,
    async act(permitted, { after, limit, ...wanted }) {
      const { receipts, next } = await showReceipts(deps.ledger, permitted, wanted, { after, limit });
      const shown = await allWithEffects(deps.ledger, receipts);
      return ok(defined({ revocations: shown.map(receiptOnWire), next }));
    },
  });

/** DELETE /revocations/{seq} lifts a hold. The credentials that the hold has killed stay dead. */
export const holdLifting = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'revoke',
    summary: 'Lifts a hold. What it has killed stays dead.',
    path: SEQ_PATH,
    answers: { 200: json(receiptAnswer) },
    refusals: ['not_found', 'conflict'],
    from: 'query',
    input: z.strictObject({ reason: printable(512).exactOptional().describe('For the audit log.') }),
    charged: () => 'nobody',
    permit: (caller, _, call) => permitLift(deps, caller, seqOf(call)),
    async act(permitted, input) {
      const receipt = await liftHold(deps.ledger, permitted, input);
      return ok(receiptOnWire(await withEffects(deps.ledger, receipt)));
    },
  });

/** POST /revocations/lift lifts all that one reaction holds, so many at a time. */
export const allLifting = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    summary: 'Lifts all that one reaction holds, at most 500 at a time.',
    needs: '`readRevocations`, and `revoke` of each',
    answers: {
      200: json(
        z.strictObject({
          lifted: natural,
          refused: natural.describe('Those that policy does not let the caller lift: they are in force as before.'),
          next: natural.exactOptional().describe('The `after` of the next call; absent when all were looked at.'),
        }),
      ),
    },
    from: 'body',
    input: z.strictObject({
      reaction: nameSchema().describe('The name of the reaction.'),
      source: nameSchema().exactOptional().describe('Only what a signal of this source led to.'),
      reason: printable(512).exactOptional().describe('For the audit log.'),
      after: z.int().min(0).exactOptional().describe('The `next` of the call before.'),
    }),
    about: () => ({ verb: 'lift' }),
    act: async (permitted, { reaction, source, ...input }, { requestId }) =>
      ok(await liftAll(deps, permitted, { ...input, filter: defined({ reaction, source }), requestId })),
  });

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

const previewOnWire = ({ effects, ...preview }: Preview) =>
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
