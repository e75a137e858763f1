/**
 * Deferral codes (draft-ietf-oauth-deferred-token-response): a secret for one approval, by which the agent that asked fetches what it
 * asked for. The code leads to the record; the record has only its hash.
 */
import { randomBytes } from 'node:crypto';
import type { Approval } from '../domain/approval.js';
import { sha256 } from '../domain/digest.js';
import { isId } from '../domain/id.js';
import { isSame, type PartyRef } from '../domain/party.js';
import { changeApproval, readApproval } from '../ledger/approvals.js';
import type { Ledger } from '../ledger/ledger.js';

/** A lost answer is asked for again, and then there is one code more. */
const CODES_KEPT = 4;
const SECRET_BYTES = 32;
const CODE = /^(apr_[a-z2-7]{16})\.[\w-]{43}$/;

/** Returns a new code for this approval. Undefined: its record is gone. */
export async function giveCode(ledger: Ledger, id: string): Promise<string | undefined> {
  const code = `${id}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
  const given = await changeApproval(ledger, id, (approval) => ({
    ...approval,
    deferralCodes: [sha256(code), ...approval.deferralCodes].slice(0, CODES_KEPT),
  }));
  return given ? code : undefined;
}

export const isDeferralCode = (text: string): boolean => CODE.test(text);

/** Returns the approval that this workload got the code for. Whatever else is shown is nothing: a code of another, or a guess. */
export async function approvalByCode(ledger: Ledger, party: PartyRef, code: string): Promise<Approval | undefined> {
  const id = CODE.exec(code)?.[1];
  if (id === undefined || !isId('apr', id)) return undefined;
  const found = await readApproval(ledger, id);
  return found && isCodeOf(found.value, party, code) ? found.value : undefined;
}

/** Hashes are compared, so the time that it takes says nothing about the code. */
const isCodeOf = ({ workload, deferralCodes }: Approval, party: PartyRef, code: string): boolean =>
  isSame(workload, party) && deferralCodes.includes(sha256(code));
