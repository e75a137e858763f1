/** What whoever asked is told while people have not agreed. No text names a person. */
import type { Approval } from '../domain/approval.js';
import { BrokerError } from '../domain/errors.js';
import { recordOf, type Decision } from '../authorization/decide.js';
import type { Parked } from './approval-request.js';

type ApprovalRef = Pick<Approval, 'id' | 'task' | 'lapsesAt'>;

/** Returns what was issued. Throws the refusal of a request that waits, to whoever asked for nothing else. */
export function issuedNow<I extends object>(outcome: I | Parked): I {
  if ('waiting' in outcome) throw stillWaiting(outcome);
  return outcome;
}

export const stillWaiting = ({ waiting, decision }: Parked): BrokerError =>
  new BrokerError(
    'access_denied',
    'People must agree to this first, and they are asked. Ask the same again once they have.',
    {
      retry: 'after-approval',
      ...about(waiting, decision),
    },
  );

/** @param decision absent where policy was not asked */
export const refusedByPerson = (approval: ApprovalRef, decision?: Decision): BrokerError =>
  new BrokerError('access_denied', 'People were asked about this, and the answer was no.', about(approval, decision));

export const cancelled = (approval: ApprovalRef): BrokerError =>
  new BrokerError('access_denied', 'The question was taken back, or its task is over.', about(approval));

export const lapsed = (approval: ApprovalRef): BrokerError =>
  new BrokerError(
    'expired_token',
    'Nobody answered in time, or what was agreed to was not fetched in time. Ask anew.',
    about(approval),
  );

export const tooManyApprovals = (most: number, retryAfterSeconds: number): BrokerError =>
  new BrokerError(
    'slow_down',
    `The workload has asked ${most} questions that people have not agreed to, the most it may ask in that time.`,
    {
      retryAfterSeconds,
    },
  );

/** To whoever shows nothing but a credential. */
export const asksNobody = (decision: Decision): BrokerError =>
  new BrokerError(
    'access_denied',
    'People must agree to this first, and a credential alone asks nobody: its workload must ask the same with its identity token.',
    { decision: recordOf(decision) },
  );

const about = ({ id, task, lapsesAt }: ApprovalRef, decision?: Decision) => ({
  approval: { id, task, lapsesAt },
  ...(decision && { decision: recordOf(decision) }),
});
