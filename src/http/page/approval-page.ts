/** One request as a page: what is asked in plain words, and the forms of the answer. */
import { canAnswer } from '../../authorization/ask-approval.js';
import type { SeenApproval } from '../../authorization/permit-on-approval.js';
import { pairsOf } from '../../domain/access.js';
import { termsOf, type Approval, type NeededApproval } from '../../domain/approval.js';
import { missingOf } from '../../domain/approval-answers.js';
import { labelsOf } from '../approval-contract.js';
import type { HttpDeps } from '../deps.js';
import type { Answer } from '../wire/endpoint.js';
import { answerForms, reviewForm } from './answer-forms.js';
import { pageOf } from './frame.js';
import { html, type Html } from './html.js';
import { personOf, type Session } from './session.js';
import { counted, duration, moment, pairText, partyName, patternNote } from './words.js';

/** Returns what its page says of a request, to a person who may see it. */
export function approvalPage(deps: PageDeps, seen: SeenApproval, session: Session): Answer {
  const { approval } = seen;
  const now = deps.ledger.clock.now();
  // As in the API, who answered, and which policies ask, is for those who may answer: whoever waits for a yes could go to them.
  const told = canAnswer(seen) ? { labels: labelsOf(deps.targets, approval), policies: approval.policies } : undefined;
  const body = html`${stateOf(seen, now)} ${request(approval, told, now)}
  ${told ? answered(approval, now) : refusedWhy(approval)} ${answerForms(seen, session)} ${reviewForm(seen, session)}`;
  return pageOf({ title: `${approval.workload.id} asks`, person: personOf(session), body });
}

/** What only those who may answer are told of a request. */
interface Told {
  labels: readonly string[];
  policies: readonly string[];
}

type PageDeps = Pick<HttpDeps, 'ledger' | 'targets'>;

const STATES = {
  pending: 'It waits for an answer.',
  approved: 'It is approved. The agent can fetch its credential.',
  denied: 'It was refused.',
  expired: 'It has lapsed: nobody answered in time, or the agent did not come back.',
  cancelled: 'It is cancelled: the agent took it back, or its task has ended.',
  used: 'It was approved, and the agent has its credential.',
} as const;

function stateOf({ approval, state }: SeenApproval, now: number): Html {
  const { lapsesAt, usableUntil } = approval;
  const until = state === 'pending' ? lapsesAt : state === 'approved' ? usableUntil : undefined;
  return html`<p class="note" role="status">
    <strong>${STATES[state]}</strong>${until === undefined ? undefined : html` Until ${moment(until, now)}.`}
  </p>`;
}

const WORDS_OF = {
  agent: 'The agent itself says so, and nobody has checked it',
  opener: 'Whoever gave the agent its task says so',
  default: 'From the configuration: the agent gave no reason',
} as const;

const request = (approval: Approval, told: Told | undefined, now: number): Html =>
  html`<dl>
    ${parties(approval)}${reason(approval)}${wish(approval, told?.labels ?? [])}
    <dt>Who must agree</dt>
    <dd>
      <ul>
        ${approval.needs.map(needed)}
      </ul>
    </dd>
    ${
      told &&
      html`<dt>Which policies want it</dt>
        <dd>${told.policies.join(', ')}</dd>`
    }
    <dt>Asked</dt>
    <dd>${moment(approval.askedAt, now)}, under the task <code>${approval.task}</code></dd>
  </dl>`;

const parties = ({ workload, principal, openedBy, chain = [] }: Approval): Html =>
  html`<dt>Who asks</dt>
    <dd>The agent ${partyName(workload)}</dd>
    <dt>For whom</dt>
    <dd>${principal ? html`<strong>${principal.id}</strong>` : 'For itself: it acts for no person'}</dd>
    ${
      openedBy &&
      html`<dt>Who gave it the task</dt>
        <dd>${partyName(openedBy)}</dd>`
    }
    ${
      chain.length > 0
        ? html`<dt>It was handed on by</dt>
            ${chain.map((one) => html`<dd>${partyName(one)}</dd>`)}`
        : undefined
    }`;

const reason = ({ purpose, purposeFrom }: Approval): Html =>
  html`<dt>Why</dt>
    <dd>
      <blockquote><bdi>${purpose}</bdi></blockquote>
      <p class="small">${WORDS_OF[purposeFrom]}.</p>
    </dd>`;

function wish(approval: Approval, labels: readonly string[]): Html {
  const { access, lifetimeSeconds } = termsOf(approval);
  const marked = html`<p>Among it is what is marked <strong>${labels.join(', ')}</strong>.</p>`;
  return html`<dt>What it wants to do at <code>${approval.asked.target}</code></dt>
    <dd>
      <ul>
        ${pairsOf(access).map((pair) => html`<li>${pairText(pair)}</li>`)}
      </ul>
      ${patternNote(access)}${labels.length > 0 ? marked : undefined}
    </dd>
    <dt>For how long</dt>
    <dd>${duration(lifetimeSeconds)}, from when the agent fetches it</dd>`;
}

function needed({ group, approvers, reuse }: NeededApproval): Html {
  const stands = reuse ? '; the yes stands for the rest of the task' : '';
  return html`<li>${counted(approvers, 'person')} of <strong>${group}</strong>${stands}</li>`;
}

const SAID = { approve: 'agreed', deny: 'refused', emergency: 'declared an emergency' } as const;

/** Whoever waits is told why it was refused, and not by whom. */
function refusedWhy({ answers }: Approval): Html | undefined {
  const why = answers.find(({ says }) => says === 'deny')?.reason;
  return why === undefined
    ? undefined
    : html`<p>
        Why it was refused: <q><bdi>${why}</bdi></q>
      </p>`;
}

function answered(approval: Approval, now: number): Html | undefined {
  const { answers, review } = approval;
  if (answers.length === 0) return undefined;
  const missing = missingOf(approval);
  return html`<h2>Answers until now</h2>
    <ul>
      ${answers.map(
        ({ by, at, says, reason, access, lifetimeSeconds }) =>
          html`<li>
            <strong>${by.id}</strong> ${SAID[says]},
            ${moment(at, now)}${
              access || lifetimeSeconds !== undefined ? html`, to less than what was asked` : undefined
            }.${reason === undefined ? undefined : html` <q><bdi>${reason}</bdi></q>`}
          </li>`,
      )}
    </ul>
    ${missing.length === 0 ? undefined : html`<p>Still wanted: ${missing.map(({ group, approvers }) => `${counted(approvers, 'person')} of ${group}`).join(', ')}.</p>`}
    ${
      review?.closed &&
      html`<p>
        Reviewed by <strong>${review.closed.by.id}</strong>, ${moment(review.closed.at, now)}:
        <q><bdi>${review.closed.note}</bdi></q>
      </p>`
    }`;
}
