/**
 * RFC 7009: a holder gives its credentials back, and cancels approvals by their codes. What is of another, and a text without any, are
 * left alone and answered alike.
 */
import { cancelApproval } from '../approvals/cancel.js';
import { auditingRefusals, nobody, publishedBy } from '../authorization/audit.js';
import { shownBy } from '../authorization/inspect.js';
import { assertLiveCaller } from '../authorization/caller.js';
import { isSame } from '../domain/party.js';
import type { SessionEffect } from '../enforcement/effect.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { dropCredential } from '../ledger/credentials.js';
import { revoke } from '../ledger/revoke.js';
import { findInText, type CredentialInText } from '../revocation/credentials-in-text.js';
import { sessionEffect } from '../revocation/effects.js';
import type { Deps } from './deps.js';

type ReturnDeps = Pick<Deps, 'ledger' | 'keys' | 'audit' | 'settings' | 'observer'>;

/** Returns how far the end is enforced, for a credential to whose target the end must be pushed; else undefined. */
export async function returnToken(
  deps: ReturnDeps,
  caller: AuthenticatedCaller,
  { token, requestId }: { token: string; requestId: string },
): Promise<SessionEffect | undefined> {
  const about = { type: 'operation.refused', verb: 'returnToken', requestId, charged: nobody } as const;
  await auditingRefusals(deps, caller, about, () => assertLiveCaller(deps, caller));
  const { credentials, approvals } = await findInText(deps, token, shownBy(caller, 'returned'));
  const asked = approvals.filter(({ workload }) => isSame(workload, caller.party));
  await Promise.all(asked.map((one) => cancelApproval(deps, one, { caller, requestId })));
  const held = credentials.filter(({ workload }) => workload === caller.party.id);
  const effects = await Promise.all(held.map((one) => giveBack(deps, caller, one)));
  return effects.find((effect) => effect !== undefined);
}

async function giveBack(
  { ledger }: ReturnDeps,
  caller: AuthenticatedCaller,
  held: CredentialInText,
): Promise<SessionEffect | undefined> {
  await revoke(ledger, {
    id: `returned:${held.id}`,
    selector: { kind: 'credential', value: held.id },
    effect: 'end',
    reason: 'returned by its holder',
    ...publishedBy(caller),
    knownEnd: held.expiresAt,
  });
  await dropCredential(ledger, held).catch(() => undefined);
  return held.found && sessionEffect(ledger, held.found).catch(() => undefined);
}
