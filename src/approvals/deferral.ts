/**
 * Deferral (draft-ietf-oauth-deferred-token-response): a request that waits for people gets a code, a secret for one approval. By it the
 * agent that asked learns what became of that, and gets what it asked for once people have agreed. The record has only the hash.
 */
import { randomBytes } from 'node:crypto';
import { assertLiveCaller } from '../authorization/caller.js';
import { auditingRefusals, nobody } from '../authorization/audit.js';
import { recordOf } from '../authorization/decide.js';
import type { Deps } from '../authorization/deps.js';
import { DEFERRAL_CODES_MOST, type Approval } from '../domain/approval.js';
import { deferralCode, SECRET_BYTES } from '../domain/deferral-code.js';
import { sha256 } from '../domain/digest.js';
import { BrokerError } from '../domain/errors.js';
import { isSame, type PartyRef } from '../domain/party.js';
import { secondsToWait } from '../domain/time.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { readApprovalState } from '../ledger/approval-state.js';
import { changeApproval, readByCode } from '../ledger/approvals.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Pace } from './pace.js';
import type { Parked } from './approval-request.js';
import { lapsed, refusedByPerson, stillWaiting, cancelled } from './refusals.js';

interface DeferralDeps extends Pick<Deps, 'ledger' | 'audit' | 'settings' | 'observer'> {
  pace: Pace;
}

/** Returns the refusal of a request that waits, with a code by which what was asked for can be fetched. */
export async function deferralFor(
  { ledger, pace }: Pick<DeferralDeps, 'ledger' | 'pace'>,
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

/** Returns a new code for this approval. Undefined: its record is gone. */
export async function giveCode(ledger: Ledger, id: string): Promise<string | undefined> {
  const code = deferralCode(id, randomBytes(SECRET_BYTES));
  const given = await changeApproval(ledger, id, (approval) => ({
    ...approval,
    deferralCodes: [sha256(code), ...approval.deferralCodes].slice(0, DEFERRAL_CODES_MOST),
  }));
  return given ? code : undefined;
}

/** Returns the approval whose yes is complete. Everything else is thrown, as the refusal that whoever polls gets. */
export async function approvedByCode(
  deps: DeferralDeps,
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

/** Returns the approval that this workload got the code for. Whatever else is shown is nothing: a code of another, or a guess. */
async function approvalByCode(ledger: Ledger, party: PartyRef, code: string): Promise<Approval | undefined> {
  const approval = await readByCode(ledger, code);
  return approval && isSame(approval.workload, party) ? approval : undefined;
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
