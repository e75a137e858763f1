/** The one thing that a leaked text is revoked by: a credential, or an approval by its deferral code. */
import type { Deps } from '../authorization/deps.js';
import { shownBy, SIGNED_BUT_UNRECORDED } from '../authorization/inspect.js';
import { isUnsettled, type Approval } from '../domain/approval.js';
import type { Selector } from '../domain/selector.js';
import { UNDONE } from '../domain/unwrapped.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { readApprovalState } from '../ledger/approval-state.js';
import type { Ledger } from '../ledger/ledger.js';
import { findInText } from './credentials-in-text.js';

/** Returns the one thing that a text names, or the problem with the text. */
export async function foundIn(
  deps: Pick<Deps, 'ledger' | 'keys' | 'settings' | 'observer'>,
  leaked: string,
  caller: AuthenticatedCaller,
): Promise<{ found?: Selector | { approval: Approval }; problem?: string }> {
  const { credentials, approvals, unrecorded } = await findInText(deps, leaked.trim(), shownBy(caller, 'found'));
  const open = await thoseOpen(deps.ledger, approvals);
  // A log has a code beside the credential that it has led to: an approval that grants nothing more must not save that one.
  const meant = credentials.length > 0 || open.length > 0 ? open : approvals;
  const [credential] = credentials;
  const [approval] = meant;
  const found = credential ? ({ kind: 'credential', value: credential.id } as const) : approval && { approval };
  if (!found) return { problem: unrecorded ? UNRECORDED : NONE };
  const ids = [...credentials, ...meant].map(({ id }) => id);
  return ids.length === 1 ? { found } : { found, problem: several(ids, meant.length > 0) };
}

/** Returns those by which something may still be granted: also those of which nobody can say. */
async function thoseOpen(ledger: Ledger, approvals: readonly Approval[]): Promise<Approval[]> {
  const isOpen = (approval: Approval): Promise<boolean> =>
    readApprovalState(ledger, approval).then(isUnsettled, () => true);
  const open = await Promise.all(approvals.map(async (one) => ((await isOpen(one)) ? [one] : [])));
  return open.flat();
}

const several = (ids: readonly string[], areApprovals: boolean): string =>
  `The text contains several credentials of this broker${areApprovals ? ', or deferral codes' : ''}: ${ids.join(', ')}. Nothing was revoked. Revoke each by its id${areApprovals ? '; send a code by itself' : ''}.`;
const UNRECORDED = `${SIGNED_BUT_UNRECORDED} Nothing was revoked.`;
const NONE = `The text contains no valid token of this broker, as it is or with these undone: ${UNDONE}. It names no session of it either, and has no deferral code. What it contains may be cut short, expired, of another issuer, or wrapped in another way. Nothing was revoked.`;
