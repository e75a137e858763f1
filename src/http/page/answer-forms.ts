/** The forms of an answer: agree, perhaps to less; refuse; declare an emergency; and close the review of one. */
import type { SeenApproval } from '../../authorization/permit-on-approval.js';
import { pairsOf } from '../../domain/access.js';
import { shownDigest, termsOf, type Approval, type ApprovalAnswer } from '../../domain/approval.js';
import { isOwnRequest, isSamePerson } from '../../domain/approval-answers.js';
import { REASON_MOST } from '../approval-contract.js';
import { html, type Html } from './html.js';
import type { Session } from './session.js';
import { pairText } from './words.js';

/** What a form of an answer is bound to: this request, as it was shown. */
export const answerAbout = (id: string, digest: string): string => `answer ${id} ${digest}`;
export const reviewAbout = (id: string): string => `review ${id}`;

export function answerForms(seen: SeenApproval, session: Session): Html | undefined {
  const { approval, state, breaksGlass, unknown } = seen;
  if (state !== 'pending') return undefined;
  const form = (decision: Says, fields: Html): Html => answerForm(approval, session, decision, fields);
  return html`<h2>Your answer</h2>
    ${noAnswerNow(seen, session) ?? html`${form('approve', termsFields(approval))}${form('deny', reasonField('Why you refuse it. The agent gets to read this'))}`}
    ${Object.values(unknown).map(({ message }) => html`<p class="note">${message}</p>`)}
    ${breaksGlass ? emergency(form) : undefined}`;
}

/** Says why the person cannot agree or refuse; undefined where they can. Whoever has agreed may still declare an emergency. */
function noAnswerNow({ approval, task, groups }: SeenApproval, { caller: { party } }: Session): Html | undefined {
  if (approval.answers.some(({ by }) => isSamePerson(by, party)))
    return html`<p class="note">You have answered. Somebody else must agree too.</p>`;
  return groups.length > 0 && !isOwnRequest(party, approval, task)
    ? undefined
    : html`<p class="note">You may read this request, and others must answer it.</p>`;
}

const emergency = (form: (decision: Says, fields: Html) => Html): Html =>
  html`<details>
    <summary>It cannot wait: declare an emergency</summary>
    ${form(
      'emergency',
      html`<p>
          You agree in the place of all who must. All of them are alarmed, the credential is short, and somebody else
          will review it.
        </p>
        ${reasonField('Why it cannot wait')}`,
    )}
  </details>`;

type Says = ApprovalAnswer['says'];

const LEGENDS: Record<Says, string> = { approve: 'Agree', deny: 'Refuse', emergency: 'Emergency' };
const BUTTONS: Record<Says, string> = {
  approve: 'Agree to what is ticked',
  deny: 'Refuse',
  emergency: 'Declare an emergency',
};

function answerForm(approval: Approval, { formToken }: Session, decision: Says, fields: Html): Html {
  const { id } = approval;
  const digest = shownDigest(approval);
  return html`<form method="post" action="/approvals/${id}/answer">
<fieldset>
<legend>${LEGENDS[decision]}</legend>
<input type="hidden" name="form" value="${formToken(answerAbout(id, digest))}">
<input type="hidden" name="digest" value="${digest}">
<input type="hidden" name="decision" value="${decision}">
${fields}
<button${decision === 'approve' ? undefined : html` class="stop"`}>${BUTTONS[decision]}</button>
</fieldset>
</form>`;
}

/** What a person may take away: single actions, and time. */
function termsFields(approval: Approval): Html {
  const { access, lifetimeSeconds } = termsOf(approval);
  return html`<p>Untick what the agent does not need.</p>
    ${pairsOf(access).map(
      (pair, index) =>
        html`<label class="choice"
          ><input type="checkbox" name="keep" value="${index}" checked />${pairText(pair)}</label
        >`,
    )}
    <label
      >For so many seconds, ${lifetimeSeconds} at most<input
        type="number"
        name="seconds"
        min="1"
        max="${lifetimeSeconds}"
        step="1"
        value="${lifetimeSeconds}"
        inputmode="numeric"
        required
    /></label>`;
}

const reasonField = (label: string): Html =>
  html`<label>${label}<textarea name="reason" rows="3" maxlength="${REASON_MOST}" required></textarea></label>`;

export function reviewForm({ approval, groups }: SeenApproval, { caller, formToken }: Session): Html | undefined {
  const { id, review, answers } = approval;
  if (!review || review.closed || groups.length === 0) return undefined;
  if (answers.some(({ says, by }) => says === 'emergency' && isSamePerson(by, caller.party)))
    return html`<p class="note">You have declared the emergency; somebody else reviews it.</p>`;
  return html`<h2>Review</h2>
    <form method="post" action="/approvals/${id}/close">
      <fieldset>
        <legend>Close the review</legend>
        <input type="hidden" name="form" value="${formToken(reviewAbout(id))}" />
        <label>What you found<textarea name="note" rows="3" maxlength="${REASON_MOST}" required></textarea></label>
        <button>Close the review</button>
      </fieldset>
    </form>`;
}
