/** The endpoints that lift a hold, and all holds of a reaction. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { nameSchema, natural } from '../domain/schemas.js';
import { withEffects } from '../revocation/effects.js';
import { liftAll } from '../revocation/lift-all.js';
import { liftHold, permitLift } from '../revocation/receipts.js';
import type { HttpDeps } from './deps.js';
import { receiptAnswer, receiptOnWire, seqOf, SEQ_PATH } from './revocation-contract.js';
import { json } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { printable } from './wire/fields.js';
import { brokerOperation, operation } from './wire/operation.js';

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
