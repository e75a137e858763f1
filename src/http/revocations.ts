/** The endpoints that revoke, preview and list. */
import { z } from 'zod';
import { cancelLeaked } from '../approvals/cancel-leaked.js';
import { defined } from '../domain/defined.js';
import { nameSchema, natural } from '../domain/schemas.js';
import { json } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { wholeNumber } from './wire/fields.js';
import { brokerOperation, operation } from './wire/operation.js';
import { allWithEffects, withEffects } from '../revocation/effects.js';
import { HOLD_STATES, showReceipts, type ReceiptFilter } from '../revocation/receipts.js';
import {
  isDryRun,
  isCancellation,
  permitBySelector,
  previewRevocation,
  revokeBySelector,
} from '../revocation/revoke-by-selector.js';
import type { HttpDeps } from './deps.js';
import { leakedApprovalAnswer, leakedOnWire } from './leaked-code.js';
import { previewAnswer, previewOnWire, receiptAnswer, receiptOnWire, revocationInput } from './revocation-contract.js';

/** POST /revocations ends, cuts off or holds whatever hangs on a selector. With `dryRun` it counts what it would hit. */
export const revocation = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'revoke',
    summary:
      'Ends, cuts off or holds whatever hangs on a selector; of a leaked deferral code it takes the question back. With ' +
      '`dryRun` it only says what that would hit.',
    answers: { 200: json(z.union([receiptAnswer, previewAnswer, leakedApprovalAnswer])) },
    refusals: ['not_found', 'conflict'],
    from: 'body',
    input: revocationInput,
    charged: () => 'caller',
    permit: (caller, input) => permitBySelector(deps, caller, input),
    async act(order, input, { requestId }) {
      if (isCancellation(order))
        return ok(leakedOnWire(await cancelLeaked(deps, order, { ...input, requestId }), order.subject.dryRun));
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
