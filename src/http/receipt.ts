/** GET /revocations/{seq}: one receipt as it stands now, with who knew of it; signed, to be filed as evidence. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { toSeconds, toTimestamp } from '../domain/time.js';
import { verifiersOf, type InformedVerifier } from '../ledger/known-by.js';
import type { Receipt } from '../ledger/receipts.js';
import { denyingTargets, withEffects } from '../revocation/effects.js';
import { showReceipt } from '../revocation/receipts.js';
import { json, time } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { accepts } from './wire/fields.js';
import { brokerOperation, nothing } from './wire/operation.js';
import type { HttpDeps } from './deps.js';
import { receiptAnswer, receiptOnWire, seqOf, SEQ_PATH } from './revocation-contract.js';

/** A type of its own: a signed receipt must pass for nothing else that the same keys sign. */
const RECEIPT_TYP = 'mayfly-receipt+jwt';
const SIGNED = 'application/jwt';

const informedAnswer = receiptAnswer.extend({
  verifiers: z
    .array(
      z.strictObject({
        verifier: z.string().describe('The party that was told.'),
        instance: z.string().exactOptional().describe('Which of its instances, as it says.'),
        by: z
          .literal('wait')
          .exactOptional()
          .describe(
            'It waited for the end of a credential that it uses, as `mayfly proxy` does. Absent: it follows the feed.',
          ),
        knewAt: time().exactOptional().describe('Absent: it was told, and has not said that it knows.'),
        afterMs: z.int().exactOptional().describe('How long after the publication that was, at most.'),
      }),
    )
    .describe('Who followed the feed or waited when it was published, of each broker; a thousand at most.'),
  roles: z
    .array(
      z.strictObject({
        target: z.string().describe('The ARN of a role at which it ended sessions.'),
        deniedSince: time()
          .exactOptional()
          .describe(
            'Since when the deny policy of the role is in force for them, at the latest: it was written fifteen seconds before. ' +
              'Absent: not yet. Asked long after, it may be the moment of a later write.',
          ),
      }),
    )
    .describe('The AWS roles that have to deny sessions; none until the hits are counted.'),
});

export const revocationReceipt = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    summary:
      'Shows one revocation as it stands now, and which verifiers knew of it when. Asked with `Accept: application/jwt`, ' +
      'the same signed by the broker, with `typ` `mayfly-receipt+jwt`, to be filed.',
    path: SEQ_PATH,
    answers: { 200: { ...json(informedAnswer), [SIGNED]: 'A JWT with the answer as its claim `receipt`.' } },
    refusals: ['not_found'],
    from: 'query',
    input: nothing,
    async act(permitted, _, call) {
      const { ledger, keys, issuer } = deps;
      const receipt = await showReceipt(ledger, permitted, seqOf(call));
      const [shown, informed, denying] = await Promise.all([
        withEffects(ledger, receipt),
        verifiersOf(ledger, receipt),
        denyingTargets(ledger, receipt),
      ]);
      const body = {
        ...receiptOnWire(shown),
        verifiers: informed.map((one) => verifierOnWire(one, receipt)),
        roles: denying.map(({ target, deniedSince }) =>
          defined({ target, deniedSince: deniedSince && toTimestamp(deniedSince) }),
        ),
      };
      if (!accepts(call, SIGNED)) return ok(body);
      const claims = { iss: issuer, iat: toSeconds(ledger.clock.now()), receipt: body };
      const signed = await keys.sign(claims, { typ: RECEIPT_TYP });
      return { status: 200, headers: { 'Content-Type': SIGNED }, body: signed };
    },
  });

const verifierOnWire = ({ verifier, instance, by, knewAt }: InformedVerifier, { at }: Pick<Receipt, 'at'>) =>
  defined({
    verifier,
    instance,
    by,
    knewAt: knewAt === undefined ? undefined : toTimestamp(knewAt),
    afterMs: knewAt === undefined ? undefined : knewAt - at,
  });
