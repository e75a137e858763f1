/** The endpoints of requests that wait for people: list, read, answer, review. */
import { z } from 'zod';
import { answerApproval } from '../approvals/answer.js';
import { APPROVAL_LISTS, listApprovals } from '../approvals/list.js';
import { reviewApproval } from '../approvals/review.js';
import { permitAnswer, permitReview } from '../authorization/permit-answer.js';
import { permitOnApproval } from '../authorization/permit-on-approval.js';
import { defined } from '../domain/defined.js';
import { approvalAnswer, approvalOnWire, decisionInput, reviewInput, verbOf } from './approval-contract.js';
import type { HttpDeps } from './deps.js';
import { textsOf, unknownAnswer } from './wire/answers.js';
import { json } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { cursor, cursorText, nextCursor } from './wire/cursor.js';
import { wholeNumber } from './wire/fields.js';
import { operation } from './wire/operation.js';

const path = { id: 'The id of the approval.' };

/** GET /approvals lists what the caller may answer, or has asked for. */
export const approvalList = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'approve',
    summary: 'Lists requests that wait: those that the caller may answer, or has asked for. In no particular order.',
    needs: '`approve` or `breakGlass` of each, or to have asked for it',
    answers: {
      200: json(
        z.strictObject({
          approvals: z.array(approvalAnswer),
          next: nextCursor,
          unknown: unknownAnswer,
        }),
      ),
    },
    from: 'query',
    input: z.strictObject({
      state: z
        .enum(APPROVAL_LISTS)
        .default('pending')
        .describe(
          '`pending`: they wait for an answer. `review`: emergencies that nobody has reviewed. Default: `pending`.',
        ),
      after: cursor(deps, 'approvals').exactOptional().describe('The `next` of the page before.'),
      limit: wholeNumber(1, 200).default(50).describe('So many at most. Default: 50.'),
    }),
    charged: () => 'nobody',
    permit: (caller, { state, after, limit }) => listApprovals(deps, caller, defined({ state, after, limit })),
    act: ({ permitted, next, unknown }) => {
      const approvals = permitted.map(({ subject }) => approvalOnWire(deps, subject));
      const why = textsOf(unknown);
      return Promise.resolve(
        ok(defined({ approvals, next: next && cursorText(deps, 'approvals', next), unknown: why })),
      );
    },
  });

/** Programs around agents often give up after a minute. */
const WAIT_SECONDS_MOST = 55;

/** GET /approvals/{id} shows one as it stands now, or once it is another than now. */
export const approvalReading = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'approve',
    summary: 'Shows a request that waits for people as it stands now: to who may answer it, or has asked for it.',
    needs: '`approve` or `breakGlass` of it, `readTask` of its task, or to have asked for it',
    path,
    answers: { 200: json(approvalAnswer) },
    refusals: ['not_found'],
    from: 'query',
    input: z.strictObject({
      wait: wholeNumber(1, WAIT_SECONDS_MOST)
        .exactOptional()
        .describe(
          'Seconds. While it is pending, the answer comes once anything of it changes, or after so many seconds.',
        ),
    }),
    charged: () => 'nobody',
    permit: (caller, _, { params }) => permitOnApproval(deps, caller, params['id'] ?? ''),
    async act({ caller, subject: seen }, { wait }) {
      if (wait === undefined || seen.state !== 'pending') return ok(approvalOnWire(deps, seen));
      await deps.answers.wait(caller.party.id, seen.approval, wait * 1000);
      // Whoever waited may have been cut off meanwhile, and the record may be another: all is asked again.
      const { subject } = await permitOnApproval(deps, caller, seen.approval.id);
      return ok(approvalOnWire(deps, subject));
    },
  });

/** POST /approvals/{id}/decision takes the answer of a person. */
export const approvalDecision = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'approve',
    summary:
      'Answers a request that waits: a person agrees, to all of it or to less, or refuses. The first answer that settles it stands.',
    needs: '`approve` of it; for an emergency `breakGlass`',
    path,
    answers: { 200: json(approvalAnswer) },
    refusals: ['not_found', 'conflict'],
    from: 'body',
    input: decisionInput,
    charged: () => 'nobody',
    permit: (caller, _, { params }) => permitOnApproval(deps, caller, params['id'] ?? ''),
    about: ({ decision }) => ({ verb: verbOf(decision) }),
    async act(seen, { decision, ...request }, { requestId }) {
      const permitted = permitAnswer(deps.settings, seen, decision);
      return ok(approvalOnWire(deps, await answerApproval(deps, permitted, request, requestId)));
    },
  });

/** POST /approvals/{id}/review closes the review of an emergency. */
export const approvalReview = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'approve',
    summary: 'Closes the review of an emergency, by somebody who did not declare it.',
    path,
    answers: { 200: json(approvalAnswer) },
    refusals: ['not_found', 'conflict'],
    from: 'body',
    input: reviewInput,
    charged: () => 'nobody',
    permit: (caller, _, { params }) => permitOnApproval(deps, caller, params['id'] ?? ''),
    async act(seen, { note }, { requestId }) {
      const permitted = permitReview(deps.settings, seen);
      return ok(approvalOnWire(deps, await reviewApproval(deps, permitted, note, requestId)));
    },
  });
