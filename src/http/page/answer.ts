/** The answer of a person who has signed in on the page. The rules are those of the API: here a form becomes the same decision. */
import { answerApproval, type Decision } from '../../approvals/answer.js';
import { reviewApproval } from '../../approvals/review.js';
import { auditingRefusals, nobody } from '../../authorization/audit.js';
import { permitOnApproval } from '../../authorization/permit-on-approval.js';
import { pairsOf } from '../../domain/access.js';
import { APPROVAL_ANSWERS, termsOf, type Approval, type Terms } from '../../domain/approval.js';
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import { oneLine } from '../../domain/text.js';
import type { HttpDeps } from '../deps.js';
import type { Contract } from '../wire/contract.js';
import type { Answer, Call } from '../wire/endpoint.js';
import { answerAbout, REASON_MOST, reviewAbout } from './answer-forms.js';
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
    (call, session) =>
      auditing(deps, call, session, async (id) => {
        const fields = formOf(call, session, (sent) => answerAbout(id, sent.get('digest') ?? ''));
        const permitted = await permitOnApproval(deps, session.caller, id);
        await answerApproval(deps, permitted, decisionOf(fields, permitted.subject.approval), call.requestId);
      }),
  );

export const pageReviewing = (deps: HttpDeps) =>
  formEndpoint(deps, { ...told, summary: 'Closes the review of an emergency.' }, (call, session) =>
    auditing(deps, call, session, async (id) => {
      const fields = formOf(call, session, reviewAbout(id));
      const permitted = await permitOnApproval(deps, session.caller, id);
      await reviewApproval(deps, permitted, textIn(fields, 'note') ?? '', call.requestId);
    }),
  );

/** What is refused is audited, as for the verbs of the API. Who has answered sees the request as it stands then. */
async function auditing(
  deps: HttpDeps,
  { params, requestId }: Call,
  { caller }: Session,
  act: (id: string) => Promise<void>,
): Promise<Answer> {
  const id = params['id'] ?? '';
  const asked = { type: 'operation.refused', verb: 'approve', task: '', requestId, charged: nobody } as const;
  await auditingRefusals(deps, caller, asked, () => act(id));
  return { status: 303, headers: { Location: `/approvals/${id}` } };
}

function decisionOf(fields: URLSearchParams, approval: Approval): Decision {
  const decision = APPROVAL_ANSWERS.find((one) => one === fields.get('decision'));
  if (!decision) throw new BrokerError('invalid_request', 'The form has no decision.');
  const terms = decision === 'approve' ? narrowed(fields, approval) : {};
  return defined({ decision, digest: fields.get('digest') ?? '', reason: textIn(fields, 'reason'), ...terms });
}

/** Returns what was taken away. Boxes are numbered as they were shown; that they were shown so, the digest says. */
function narrowed(fields: URLSearchParams, approval: Approval): Partial<Terms> {
  const stands = termsOf(approval);
  const pairs = pairsOf(stands.access);
  const kept = pairs.filter((_, index) => fields.getAll('keep').includes(String(index)));
  if (kept.length === 0)
    throw new BrokerError('invalid_request', 'Nothing is ticked. To give nothing, refuse the request.');
  const seconds = fields.get('seconds') ?? '';
  if (!/^[1-9]\d{0,6}$/.test(seconds))
    throw new BrokerError('invalid_request', 'The time is a whole number of seconds.');
  return defined({
    access: kept.length < pairs.length ? kept.map(({ path, action }) => ({ path, actions: [action] })) : undefined,
    lifetimeSeconds: Number(seconds) === stands.lifetimeSeconds ? undefined : Number(seconds),
  });
}

/** Returns what was typed, as one line; undefined where nothing was. */
function textIn(fields: URLSearchParams, name: string): string | undefined {
  const text = oneLine(fields.get(name) ?? '').trim();
  if (text.length > REASON_MOST)
    throw new BrokerError('invalid_request', `A text has at most ${REASON_MOST} characters.`);
  return text === '' ? undefined : text;
}
