/** After an emergency somebody else looks at it: until then its review is open. */
import { callerFields } from '../authorization/audit.js';
import type { Permitted } from '../authorization/permission.js';
import type { SeenApproval } from '../authorization/permit-on-approval.js';
import type { Approval } from '../domain/approval.js';
import { isSamePerson } from '../domain/approval-answers.js';
import { BrokerError } from '../domain/errors.js';
import { refOf, type Party } from '../domain/party.js';
import { withoutTokens } from '../domain/token-in-text.js';
import { changeApproval } from '../ledger/approvals.js';
import type { AnswerDeps } from './answer.js';
import { approvalFields } from './audit-fields.js';

/** Closes the review of an emergency, by somebody who could have agreed to it and did not declare it. The audit entry comes first. */
export async function reviewApproval(
  { ledger, audit }: Pick<AnswerDeps, 'ledger' | 'audit'>,
  { caller, subject }: Permitted<'approve', SeenApproval>,
  note: string,
  requestId: string,
): Promise<SeenApproval> {
  const at = ledger.clock.now();
  const said = withoutTokens(note);
  const reviewed = (approval: Approval): Approval => {
    assertOpenTo(approval, caller.party);
    return {
      ...approval,
      review: { openedAt: at, ...approval.review, closed: { by: refOf(caller.party), at, note: said } },
    };
  };
  const fields = approvalFields(reviewed(subject.approval), {});
  await audit.append({ type: 'approval.reviewed', at, ...callerFields(caller), ...fields, reason: said, requestId });
  const after = await changeApproval(ledger, subject.approval.id, reviewed);
  if (!after) throw new BrokerError('not_found', 'There is no approval with that id.');
  return { ...subject, approval: after };
}

function assertOpenTo({ review, answers }: Approval, person: Party): void {
  if (!review) throw new BrokerError('conflict', 'There is nothing to review: it was no emergency.');
  if (review.closed) throw new BrokerError('conflict', 'The review is closed already.');
  if (answers.some(({ says, by }) => says === 'emergency' && isSamePerson(by, person)))
    throw new BrokerError('access_denied', 'You have declared the emergency; somebody else must review it.');
}
