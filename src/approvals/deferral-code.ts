/**
 * Deferral codes (draft-ietf-oauth-deferred-token-response): a secret for one approval, by which the agent that asked fetches what it
 * asked for. The code leads to the record; the record has only its hash.
 */
import { randomBytes } from 'node:crypto';
import { DEFERRAL_CODES_MOST, type Approval } from '../domain/approval.js';
import { deferralCode, SECRET_BYTES } from '../domain/deferral-code.js';
import { sha256 } from '../domain/digest.js';
import { isSame, type PartyRef } from '../domain/party.js';
import { changeApproval, readByCode } from '../ledger/approvals.js';
import type { Ledger } from '../ledger/ledger.js';

/** Returns a new code for this approval. Undefined: its record is gone. */
export async function giveCode(ledger: Ledger, id: string): Promise<string | undefined> {
  const code = deferralCode(id, randomBytes(SECRET_BYTES));
  const given = await changeApproval(ledger, id, (approval) => ({
    ...approval,
    deferralCodes: [sha256(code), ...approval.deferralCodes].slice(0, DEFERRAL_CODES_MOST),
  }));
  return given ? code : undefined;
}

/** Returns the approval that this workload got the code for. Whatever else is shown is nothing: a code of another, or a guess. */
export async function approvalByCode(ledger: Ledger, party: PartyRef, code: string): Promise<Approval | undefined> {
  const approval = await readByCode(ledger, code);
  return approval && isSame(approval.workload, party) ? approval : undefined;
}
