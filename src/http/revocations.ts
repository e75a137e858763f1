/** The endpoints of a revocation: revoke or preview, list, show, lift. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { HARD_LIMITS } from '../domain/limits.js';
import { nameSchema } from '../domain/schemas.js';
import { EFFECTS, SELECTOR_KINDS, type Selector } from '../domain/selector.js';
import { toTimestamp } from '../domain/time.js';
import { ok, type Call } from './wire/endpoint.js';
import { printable, timestamp, wholeNumber } from './wire/fields.js';
import { countsOf } from './wire/impact.js';
import { brokerOperation, nothing, operation } from './wire/operation.js';
import type { Receipt } from '../ledger/receipts.js';
import { allWithEffects, withEffects, type Shown } from '../revocation/effects.js';
import { liftAll } from '../revocation/lift-all.js';
import { HOLD_STATES, liftHold, permitLift, showReceipt, showReceipts } from '../revocation/receipts.js';
import {
  isDryRun,
  permitBySelector,
  previewRevocation,
  revokeBySelector,
  type Preview,
} from '../revocation/revoke-by-selector.js';
import type { HttpDeps } from './deps.js';

/** POST /revocations ends, cuts off or holds whatever hangs on a selector. With `dryRun` it counts what it would hit. */
export const revocation = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'revoke',
    from: 'body',
    input: z
      .strictObject({
        selector: z
          .strictObject({ kind: z.enum(SELECTOR_KINDS), value: z.string().exactOptional() })
          .transform(({ kind, value = '' }): Selector => ({ kind, value }))
          .exactOptional(),
        /** Instead of a selector: the found string itself. It is bounded like any token, and never logged. */
        leaked: z.string().min(1).max(HARD_LIMITS.subjectTokenBytes).exactOptional(),
        effect: z.enum(EFFECTS).exactOptional(),
        reason: printable(512),
        ticket: printable(128).exactOptional(),
        until: timestamp.exactOptional(),
        /** The caller means it, although nothing was ever seen here of the selector. */
        unseen: z.boolean().default(false),
        dryRun: z.boolean().default(false),
      })
      .transform(({ selector, leaked, until, ...order }, context) => {
        const what = selector ?? (leaked === undefined ? undefined : { leaked });
        if (what && (!selector || leaked === undefined)) return defined({ what, liftAt: until, ...order });
        context.addIssue('Name a selector, or the string that leaked: exactly one of them');
        return z.NEVER;
      }),
    charged: () => 'caller',
    permit: (caller, input) => permitBySelector(deps, caller, input),
    async act(order, input, { requestId }) {
      if (isDryRun(order)) return ok(previewOnWire(await previewRevocation(deps, order, { ...input, requestId })));
      const receipt = await revokeBySelector(deps, order, input);
      const headers = { Location: `${deps.issuer}/revocations/${receipt.seq}` };
      return { status: 200, headers, body: receiptOnWire(await withEffects(deps.ledger, receipt)) };
    },
  });

/** GET /revocations returns receipts as they stand now, oldest first, in pages: all, or those of a reaction, a source, a state. */
export const revocationList = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    from: 'query',
    input: z.strictObject({
      reaction: nameSchema().exactOptional(),
      source: nameSchema().exactOptional(),
      state: z.enum(HOLD_STATES).exactOptional(),
      after: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
      limit: wholeNumber(1, 1_000).default(100),
    }),
    async act(permitted, { after, limit, ...filter }) {
      const { receipts, next } = await showReceipts(deps.ledger, permitted, filter, { after, limit });
      const shown = await allWithEffects(deps.ledger, receipts);
      return ok(defined({ revocations: shown.map(receiptOnWire), next }));
    },
  });

/** GET /revocations/{seq} returns one receipt as it stands now. */
export const revocationReceipt = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    from: 'query',
    input: nothing,
    async act(permitted, _, call) {
      const receipt = await showReceipt(deps.ledger, permitted, seqOf(call));
      return ok(receiptOnWire(await withEffects(deps.ledger, receipt)));
    },
  });

/** DELETE /revocations/{seq} lifts a hold. The credentials that the hold has killed stay dead. */
export const holdLifting = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'revoke',
    from: 'query',
    input: z.strictObject({ reason: printable(512).exactOptional() }),
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
    from: 'body',
    input: z.strictObject({
      reaction: nameSchema(),
      source: nameSchema().exactOptional(),
      reason: printable(512).exactOptional(),
      after: z.int().min(0).exactOptional(),
    }),
    about: () => ({ verb: 'lift' }),
    act: async (permitted, { reaction, source, ...input }, { requestId }) =>
      ok(await liftAll(deps, permitted, { ...input, filter: defined({ reaction, source }), requestId })),
  });

/**
 * Returns the number in the path. Revocations are numbered from 1, so 0 stands for a text that is no number, and is never
 * found.
 */
const seqOf = ({ params: { seq = '' } }: Pick<Call, 'params'>): number =>
  /^[1-9]\d{0,14}$/.test(seq) ? Number(seq) : 0;

/** Returns the receipt on the wire. It must be true about what the revocation did (G8). */
const receiptOnWire = ({ receipt, effects }: Shown) =>
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
