/** The answer of a person who has signed in on the page. The rules are those of the API: here a form becomes the same decision. */
import { answerApproval } from '../../approvals/answer.js';
import { reviewApproval } from '../../approvals/review.js';
import { auditingRefusals, nobody } from '../../authorization/audit.js';
import { permitAnswer, permitReview } from '../../authorization/permit-answer.js';
import { permitOnApproval } from '../../authorization/permit-on-approval.js';
import { pairsOf } from '../../domain/access.js';
import { termsOf, type Approval } from '../../domain/approval.js';
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import { oneLine } from '../../domain/text.js';
import { decisionInput, reviewInput, verbOf } from '../approval-contract.js';
import type { HttpDeps } from '../deps.js';
import { parsed } from '../wire/body.js';
import type { Contract } from '../wire/contract.js';
import type { Answer, Call } from '../wire/endpoint.js';
import { answerAbout, reviewAbout } from './answer-forms.js';
import { formOf } from './form.js';
import { formEndpoint } from './paged.js';
import type { Session } from './session.js';

const told = {
  needs: '`approve` or `breakGlass`',
  path: { id: 'The id of an approval.' },
  raw: ['application/x-www-form-urlencoded', 'a form of the page.'],
  page: 'Why nothing was done.',
} satisfies Partial<Contract>;

export const pageAnswering = (deps: HttpDeps) =>
  formEndpoint(
    deps,
    { ...told, summary: 'Answers a request that waits, as the form of the page says it.' },
    async (call, session) => {
      const { id, audited } = auditing(deps, call, session);
      const { seen, input } = await audited('approve', async () => {
        const fields = formOf(call, session, (sent) => answerAbout(id, sent.get('digest') ?? ''));
        const seen = await permitOnApproval(deps, session.caller, id);
        return { seen, input: parsed(decisionInput, decisionIn(fields, seen.subject.approval)) };
      });
      const { decision, ...request } = input;
      await audited(verbOf(decision), () =>
        answerApproval(deps, permitAnswer(deps.settings, seen, decision), request, call.requestId),
      );
      return shownAgain(id);
    },
  );

export const pageReviewing = (deps: HttpDeps) =>
  formEndpoint(deps, { ...told, summary: 'Closes the review of an emergency.' }, async (call, session) => {
    const { id, audited } = auditing(deps, call, session);
    await audited('approve', async () => {
      const fields = formOf(call, session, reviewAbout(id));
      const seen = await permitOnApproval(deps, session.caller, id);
      const { note } = parsed(reviewInput, { note: textIn(fields, 'note') });
      await reviewApproval(deps, permitReview(deps.settings, seen), note, call.requestId);
    });
    return shownAgain(id);
  });

/** What is refused is audited, as for the verbs of the API. */
function auditing(deps: HttpDeps, { params, requestId }: Call, { caller }: Session) {
  const about = { type: 'operation.refused', requestId, charged: nobody } as const;
  return {
    id: params['id'] ?? '',
    audited: <T>(verb: ReturnType<typeof verbOf>, act: () => T | Promise<T>): Promise<T> =>
      auditingRefusals(deps, caller, { ...about, verb }, act),
  };
}

/** Who has answered sees the request as it stands then. */
const shownAgain = (id: string): Answer => ({ status: 303, headers: { Location: `/approvals/${id}` } });

/** Returns what the form says as a body of the API would say it; that has still to be parsed. */
function decisionIn(fields: URLSearchParams, approval: Approval): Record<string, unknown> {
  const [decision, digest] = [fields.get('decision'), fields.get('digest')];
  const terms = decision === 'approve' ? narrowed(fields, approval) : {};
  return defined({ decision, digest, reason: textIn(fields, 'reason'), ...terms });
}

/** Returns what was taken away. Boxes are numbered as they were shown; that they were shown so, the digest says. */
function narrowed(fields: URLSearchParams, approval: Approval) {
  const stands = termsOf(approval);
  const pairs = pairsOf(stands.access);
  const kept = pairs.filter((_, index) => fields.getAll('keep').includes(String(index)));
  if (kept.length === 0)
    throw new BrokerError('invalid_request', 'Nothing is ticked. To give nothing, refuse the request.');
  const seconds = fields.get('seconds') ?? '';
  if (!/^\d+$/.test(seconds)) throw new BrokerError('invalid_request', 'The time is a whole number of seconds.');
  return {
    access: kept.length < pairs.length ? kept.map(({ path, action }) => ({ path, actions: [action] })) : undefined,
    lifetimeSeconds: Number(seconds) === stands.lifetimeSeconds ? undefined : Number(seconds),
  };
}

/** Returns what was typed, as one line; undefined where nothing was. */
function textIn(fields: URLSearchParams, name: string): string | undefined {
  const text = oneLine(fields.get(name) ?? '').trim();
  return text === '' ? undefined : text;
}
