/** Fetches by a deferral code what people had to agree to: the state of the question, and once they have agreed, what was asked for. */
import { assertLiveCaller } from '../authorization/caller.js';
import { auditingRefusals, nobody } from '../authorization/audit.js';
import { recordOf } from '../authorization/decide.js';
import type { Deps } from '../authorization/deps.js';
import type { Approval } from '../domain/approval.js';
import { BrokerError } from '../domain/errors.js';
import { secondsToWait } from '../domain/time.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { readApprovalState } from '../ledger/approval-state.js';
import { approvalByCode, giveCode } from './deferral-code.js';
import type { Pace } from './pace.js';
import type { Parked } from './approval-request.js';
import { lapsed, refusedByPerson, stillWaiting, cancelled } from './refusals.js';

interface FetchDeps extends Pick<Deps, 'ledger' | 'audit' | 'settings' | 'observer'> {
  pace: Pace;
}

/** Returns the refusal of a request that waits, with a code by which what was asked for can be fetched. */
export async function deferred(
  { ledger, pace }: Pick<FetchDeps, 'ledger' | 'pace'>,
  parked: Parked,
): Promise<BrokerError> {
  const { id, task, lapsesAt } = parked.waiting;
  const code = await giveCode(ledger, id);
  if (code === undefined) return stillWaiting(parked);
  return new BrokerError('authorization_pending', 'People must agree to this first, and they are asked.', {
    retry: 'after-approval',
    approval: { id, task, lapsesAt },
    decision: recordOf(parked.decision),
    deferral: {
      code,
      expiresInSeconds: secondsToWait(lapsesAt - ledger.clock.now()),
      intervalSeconds: pace.intervalSeconds,
    },
  });
}

/** Returns the approval whose yes is complete. Everything else is thrown, as the refusal that whoever polls gets. */
export async function fetchApproved(
  deps: FetchDeps,
  caller: AuthenticatedCaller,
  { code, requestId }: { code: string; requestId: string },
): Promise<Approval> {
  const about = { type: 'credential.refused', requestId, charged: nobody } as const;
  return auditingRefusals(deps, caller, about, async () => {
    await assertLiveCaller(deps, caller);
    const approval = await approvalByCode(deps.ledger, caller.party, code);
    if (!approval) throw unknownCode();
    const tooFast = deps.pace.noteVisit(approval.id);
    if (tooFast) throw slowDown(tooFast.waitSeconds);
    const state = await readApprovalState(deps.ledger, approval);
    // The code is used up with what it was for, also where the yes stands for more.
    if (approval.used) throw unknownCode();
    switch (state) {
      case 'approved':
        return approval;
      case 'pending':
        throw stillPending(approval);
      case 'denied':
        throw refusedByPerson(approval);
      case 'expired':
        throw lapsed(approval);
      case 'cancelled':
        throw cancelled(approval);
      default:
        throw unknownCode();
    }
  });
}

const unknownCode = () =>
  new BrokerError('invalid_grant', 'No deferral code of this workload waits to be used: it is unknown, or was used.');

const stillPending = ({ id, task, lapsesAt }: Approval) =>
  new BrokerError('authorization_pending', 'People have not answered yet.', {
    retry: 'after-approval',
    approval: { id, task, lapsesAt },
  });

const slowDown = (seconds: number) =>
  new BrokerError(
    'slow_down',
    `The code was shown too soon: from now on, wait ${seconds} seconds between two requests.`,
    {
      retryAfterSeconds: seconds,
    },
  );
