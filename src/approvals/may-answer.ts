/** Who may never answer, whatever policies say, and whose yes is not enough alone. */
import type { Settings } from '../authorization/deps.js';
import type { Permitted } from '../authorization/permission.js';
import type { SeenApproval } from '../authorization/permit-on-approval.js';
import { teamOf } from '../authorization/team.js';
import type { Approval, ApprovalAnswer } from '../domain/approval.js';
import { isOwnRequest } from '../domain/approval-answers.js';
import { BrokerError } from '../domain/errors.js';
import type { Party } from '../domain/party.js';

/** Throws if the caller may not answer so. An emergency is for those alone whom policy permits that; these may ask for it themselves. */
export function assertMayAnswer(
  settings: Pick<Settings, 'approvals'>,
  { caller, subject }: Permitted<'approve', SeenApproval>,
  says: ApprovalAnswer['says'],
): void {
  assertPerson(settings, caller);
  if (says === 'emergency') {
    if (!subject.breaksGlass)
      throw subject.unknown.breaksGlass ?? denied('No policy lets you agree to this in an emergency.');
    return;
  }
  assertApprover({ caller, subject });
}

/** Throws if the caller is no approver of this request, or it is their own. */
export function assertApprover({
  caller,
  subject,
}: Pick<Permitted<'approve', SeenApproval>, 'caller' | 'subject'>): void {
  const { approval, task, groups, unknown } = subject;
  if (isOwnRequest(caller.party, approval, task))
    throw denied('It is your own request, or that of somebody you act for; somebody else must answer it.');
  if (groups.length === 0)
    throw unknown.groups ?? denied('No policy lets you answer for a group that this request needs.');
}

/**
 * Only people answer: what an agent could do, whoever talks it into things could do. An agent that acts for somebody holds a token of
 * theirs. So where the configuration names the clients that people sign in with, the token must be made for one of them, and have
 * been issued to none but them: an access token has one audience, whichever client got it. One that names an actor is none that the
 * person alone holds.
 */
export function assertPerson(
  { approvals: { clients } }: Pick<Settings, 'approvals'>,
  { party, audience = '', issuedTo = [], isForActor }: Permitted<'approve', SeenApproval>['caller'],
): void {
  if (party.kind !== 'person') throw denied('Only a person can answer, with a token of their own.');
  if (isForActor)
    throw denied('That token says that somebody acts for you (act, may_act); answer with one of your own.');
  if (clients.length > 0 && ![audience, ...issuedTo].every((client) => clients.includes(client)))
    throw denied('That token was not made for a client that people answer with; sign in there.');
}

const denied = (text: string) => new BrokerError('access_denied', text);

/**
 * Returns whether the person belongs to a team whose agent asks, or handed the task on: they may agree, and not alone. Somebody whose
 * groups could not be read may belong to any.
 */
export function isOfOwner(
  owners: Settings['owners'],
  { groups, owner, unread = [] }: Party,
  { workload, chain = [] }: Pick<Approval, 'workload' | 'chain'>,
): boolean {
  const teams = new Set([workload, ...chain].flatMap((one) => one.owner ?? []));
  if (teams.size === 0) return false;
  if (groups.length === 0 && unread.length > 0) return true;
  return [...teams].some((team) => team === owner || groups.includes(peopleOf(owners, team)));
}

/** Returns the group of a team's people. */
const peopleOf = (owners: Settings['owners'], team: string): string => teamOf(owners, team)?.members ?? team;
