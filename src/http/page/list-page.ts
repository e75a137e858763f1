/** What waits for an answer or a review, as a page. */
import { canAnswer } from '../../authorization/ask-approval.js';
import type { SeenApproval } from '../../authorization/permit-on-approval.js';
import { termsOf } from '../../domain/approval.js';
import type { Answer } from '../wire/endpoint.js';
import { pageOf } from './frame.js';
import { html, type Html } from './html.js';
import { personOf, type Session } from './session.js';
import { counted, moment } from './words.js';

export interface Listed {
  seen: readonly SeenApproval[];
  /** The cursor of the next page. */
  next?: string | undefined;
  /** Why some may be missing. */
  unknown: readonly string[];
}

export function listPage(waiting: Listed, reviews: Listed, session: Session, now: number): Answer {
  const unknown = [...new Set([...waiting.unknown, ...reviews.unknown])];
  const body = html`${
    unknown.length > 0
      ? html`<p class="note" role="status">Some requests may be missing here. ${unknown.join(' ')}</p>`
      : undefined
  }${list(waiting, now) ?? html`<p>Nothing waits for you.</p>`}
  ${reviews.seen.length > 0 ? html`<h2>Emergencies to review</h2>` : undefined}${list(reviews, now)}`;
  return pageOf({ title: 'Waiting for an answer', person: personOf(session), body });
}

function list({ seen, next }: Listed, now: number): Html | undefined {
  if (seen.length === 0 && next === undefined) return undefined;
  return html`<ul class="list">
      ${seen.map((one) => entry(one, now))}
    </ul>
    ${next === undefined ? undefined : html`<p><a href="/approvals?after=${next}">More</a></p>`}`;
}

function entry(seen: SeenApproval, now: number): Html {
  const { approval } = seen;
  const { id, workload, purpose, asked, lapsesAt } = approval;
  const parts = termsOf(approval).access.length;
  return html`<li>
    <a href="/approvals/${id}"><strong>${workload.id}</strong> at ${asked.target}</a>
    <blockquote><bdi>${purpose}</bdi></blockquote>
    <p class="small">
      ${counted(parts, 'path')}; until
      ${moment(lapsesAt, now)}${canAnswer(seen) ? undefined : '; others must answer it'}
    </p>
  </li>`;
}
