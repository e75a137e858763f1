/**
 * A person answers a request that waits, who is permitted to. The rules here hold whatever policies say: no team agrees to the request
 * of its own agent alone, nobody twice, and never to anything but what they read.
 */
import type { AuditEvent } from '../audit/event.js';
import { callerFields } from '../authorization/audit.js';
import type { Deps } from '../authorization/deps.js';
import type { Permitted } from '../authorization/permission.js';
import type { Answering } from '../authorization/permit-answer.js';
import type { SeenApproval } from '../authorization/permit-on-approval.js';
import { normalise } from '../domain/access.js';
import {
  approvalStateAt,
  isNarrower,
  shownDigest,
  termsOf,
  type Approval,
  type ApprovalAnswer,
  type ApprovalState,
  type Terms,
} from '../domain/approval.js';
import { addsTo, isComplete, isSamePerson } from '../domain/approval-answers.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { rememberedPerson } from '../domain/party.js';
import { withoutTokens } from '../domain/token-in-text.js';
import { changeApproval, readApproval } from '../ledger/approvals.js';
import type { InTurn } from '../ledger/in-turn.js';
import { approvalFields } from './audit-fields.js';
import { isOfOwner } from './own-team.js';

export type AnswerDeps = Pick<Deps, 'ledger' | 'audit' | 'settings'> & { inTurn: InTurn };

type PermittedAnswer = Permitted<'approve' | 'breakGlass', Answering>;

/** What the person says beside yes or no. */
interface AnswerRequest extends Partial<Terms> {
  /** The digest that was shown with the request: the answer is to that, and to nothing else. */
  digest: string;
  reason?: string;
}

/**
 * Returns the approval as it stands then. The audit entry comes first: nothing is released of which the log does not say who agreed.
 * Answers to one approval are taken in turn, each by the record as it stands then: one emergency is one alarm. Of two at once at two
 * brokers one wins, and the refusal of the other is entered behind its entry.
 */
export async function answerApproval(
  deps: AnswerDeps,
  permitted: PermittedAnswer,
  request: AnswerRequest,
  requestId: string,
): Promise<SeenApproval> {
  assertWhole(permitted.subject.says, request);
  const { ledger, audit, settings } = deps;
  const { subject } = permitted;
  const answer = answerOf(deps, permitted, request);
  const answered = (approval: Approval): Approval => {
    assertFits(approval, stateOf(deps, subject, approval), request, answer);
    const next = { ...approval, answers: [...approval.answers, withinEmergency(approval, answer, settings)] };
    if (!isComplete(next) || answer.says === 'deny') return next;
    const usableUntil = ledger.clock.now() + settings.approvals.usableSeconds * 1000;
    return { ...next, usableUntil, ...(answer.says === 'emergency' && { review: { openedAt: answer.at } }) };
  };
  const { id } = subject.approval;
  const after = await deps.inTurn(id, async () => {
    const stored = await readApproval(ledger, id);
    if (stored) await audit.append(answeredEvent(permitted, answered(stored.value), answer, requestId));
    return stored && changeApproval(ledger, id, answered);
  });
  if (!after) throw new BrokerError('not_found', 'There is no approval with that id.');
  return { ...subject, approval: after, state: stateOf(deps, subject, after) };
}

/** What the record cannot say, that its task is over, is as it was when the caller was permitted. It is looked at again at redemption. */
const stateOf = ({ ledger }: AnswerDeps, { state }: SeenApproval, approval: Approval): ApprovalState =>
  state === 'cancelled' ? state : approvalStateAt(approval, ledger.clock.now());

function answerOf(
  { ledger, settings }: AnswerDeps,
  { caller, subject }: PermittedAnswer,
  { reason, access, lifetimeSeconds }: AnswerRequest,
): ApprovalAnswer {
  return defined({
    by: rememberedPerson(caller.party),
    at: ledger.clock.now(),
    says: subject.says,
    groups: [...subject.groups],
    ofOwner: isOfOwner(settings.owners, caller.party, subject.approval) || undefined,
    // A token that does not say when it was issued is older than every cutoff.
    issuedAt: caller.issuedAt ?? 0,
    reason: reason === undefined ? undefined : withoutTokens(reason),
    access: access && normalise(access),
    lifetimeSeconds,
  });
}

/** Refuses an answer that lacks something, or says what it cannot. */
function assertWhole(says: ApprovalAnswer['says'], { reason, access, lifetimeSeconds }: AnswerRequest): void {
  if (says !== 'approve' && reason === undefined)
    throw new BrokerError('invalid_request', `Say why: a decision to ${VERBS[says]} has a reason.`);
  if (says === 'deny' && (access ?? lifetimeSeconds) !== undefined)
    throw new BrokerError('invalid_request', 'A denial has no access and no lifetime.');
}

const VERBS = { deny: 'deny', emergency: 'break the glass' } as const;

/** Refuses an answer that is not to what stands now. */
function assertFits(
  approval: Approval,
  state: ApprovalState,
  { digest, ...terms }: AnswerRequest,
  answer: ApprovalAnswer,
) {
  if (state !== 'pending') throw conflict(`The approval is ${state}; only one that is pending can be answered.`, state);
  // Who has agreed already, and cannot wait for the others, may still declare an emergency.
  if (answer.says !== 'emergency' && approval.answers.some(({ by }) => isSamePerson(by, answer.by)))
    throw conflict('You have answered already; somebody else must agree too.', state);
  if (digest !== shownDigest(approval))
    throw conflict('The request is not as it was shown to you; read it again.', state);
  if (!isNarrower(approval, terms))
    throw new BrokerError(
      'invalid_request',
      'An answer can only take away: the access or the lifetime is wider than what stands.',
    );
  if (!addsTo(approval, answer))
    throw conflict('Nobody of your groups is wanted any more; somebody of another must agree.', state);
}

const conflict = (text: string, state: ApprovalState) => new BrokerError('conflict', text, { state });

/** What is granted in an emergency is short. */
function withinEmergency(
  approval: Approval,
  answer: ApprovalAnswer,
  { approvals }: AnswerDeps['settings'],
): ApprovalAnswer {
  if (answer.says !== 'emergency') return answer;
  const { lifetimeSeconds } = termsOf({ ...approval, answers: [...approval.answers, answer] });
  return { ...answer, lifetimeSeconds: Math.min(lifetimeSeconds, approvals.emergencySeconds) };
}

/** An emergency has a type of its own: it goes to every webhook, whatever that asks for. */
function answeredEvent(
  { caller }: PermittedAnswer,
  after: Approval,
  { says, at, groups, reason }: ApprovalAnswer,
  requestId: string,
): AuditEvent {
  const said = approvalFields(after, { says, groups, complete: isComplete(after) });
  const fields = defined({ at, ...callerFields(caller), ...said, reason, requestId });
  return says === 'emergency' ? { type: 'approval.emergency', ...fields } : { type: 'approval.answered', ...fields };
}
