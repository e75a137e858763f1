/**
 * Permission to answer a request that waits, and to close the review of an emergency. What policy lets the caller do is known by then;
 * the rules here hold whatever policies say.
 */
import type { ApprovalAnswer } from '../domain/approval.js';
import { isOwnRequest } from '../domain/approval-answers.js';
import { BrokerError } from '../domain/errors.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { Settings } from './deps.js';
import { Permission, type Permitted } from './permission.js';
import type { SeenApproval } from './permit-on-approval.js';

type ApprovalSettings = Pick<Settings, 'approvals'>;
type Seen = Permitted<'seeApproval', SeenApproval>;

/** What somebody may say about an approval. */
export interface Answering extends SeenApproval {
  says: ApprovalAnswer['says'];
}

/** An emergency is for those alone whom policy permits that; these may ask for it themselves. */
export function permitAnswer(
  settings: ApprovalSettings,
  { caller, subject }: Seen,
  says: ApprovalAnswer['says'],
): Permitted<'approve' | 'breakGlass', Answering> {
  assertPerson(settings, caller);
  if (says !== 'emergency') {
    assertApprover(caller, subject);
    return new Permission(caller, 'approve', { ...subject, says });
  }
  if (!subject.breaksGlass)
    throw subject.unknown.breaksGlass ?? denied('No policy lets you agree to this in an emergency.');
  return new Permission(caller, 'breakGlass', { ...subject, says });
}

/** Whoever could have agreed to it may review the emergency, except who declared it: the record says who that is. */
export function permitReview(
  settings: ApprovalSettings,
  { caller, subject }: Seen,
): Permitted<'approve', SeenApproval> {
  assertPerson(settings, caller);
  assertApprover(caller, subject);
  return new Permission(caller, 'approve', subject);
}

/**
 * Only people answer: what an agent could do, whoever talks it into things could do. An agent that acts for somebody holds a token of
 * theirs. So where the configuration names the clients that people sign in with, the token must be made for one of them, and have
 * been issued to none but them: an access token has one audience, whichever client got it. One that names an actor is none that the
 * person alone holds.
 */
function assertPerson(
  { approvals: { clients } }: ApprovalSettings,
  { party, audience = '', issuedTo = [], isForActor }: AuthenticatedCaller,
): void {
  if (party.kind !== 'person') throw denied('Only a person can answer, with a token of their own.');
  if (isForActor)
    throw denied('That token says that somebody acts for you (act, may_act); answer with one of your own.');
  if (clients.length > 0 && ![audience, ...issuedTo].every((client) => clients.includes(client)))
    throw denied('That token was not made for a client that people answer with; sign in there.');
}

/** Throws if the caller is no approver of this request, or it is their own. */
function assertApprover({ party }: AuthenticatedCaller, { approval, task, groups, unknown }: SeenApproval): void {
  if (isOwnRequest(party, approval, task))
    throw denied('It is your own request, or that of somebody you act for; somebody else must answer it.');
  if (groups.length === 0)
    throw unknown.groups ?? denied('No policy lets you answer for a group that this request needs.');
}

const denied = (text: string) => new BrokerError('access_denied', text);
