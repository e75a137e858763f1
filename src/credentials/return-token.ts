/** RFC 7009: a holder gives its credential back. A foreign token, and a text that is no token, are left alone and answered alike. */
import { auditingRefusals } from '../authorization/audit.js';
import { assertLiveCaller } from '../authorization/caller.js';
import type { Deps } from './deps.js';
import { inspect } from '../authorization/inspect.js';
import type { SessionEffect } from '../enforcement/effect.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { dropCredential, findCredential, type Found } from '../ledger/credentials.js';
import { credentialsByHandle } from '../ledger/handles.js';
import { revoke } from '../ledger/revoke.js';
import { sessionEffect } from '../revocation/effects.js';

type ReturnDeps = Pick<Deps, 'ledger' | 'keys' | 'audit' | 'settings' | 'observer'>;

/** Returns how far the end is enforced, for a credential to whose target the end must be pushed; else undefined. */
export async function returnToken(
  deps: ReturnDeps,
  caller: AuthenticatedCaller,
  { token, requestId }: { token: string; requestId: string },
): Promise<SessionEffect | undefined> {
  const { ledger } = deps;
  const about = { type: 'operation.refused', verb: 'returnToken', requestId } as const;
  await auditingRefusals(deps, caller, about, () => assertLiveCaller(deps, caller));
  const found = await credentialOf(deps, token);
  if (found?.task.workload.id !== caller.party.id) return undefined;
  const { credential } = found;
  await revoke(ledger, {
    id: `returned:${credential.id}`,
    selector: { kind: 'credential', value: credential.id },
    effect: 'end',
    reason: 'returned by its holder',
    actor: caller.party.id,
    knownEnd: credential.expiresAt,
  });
  await dropCredential(ledger, credential).catch(() => undefined);
  return sessionEffect(ledger, found).catch(() => undefined);
}

/**
 * Returns the credential that the text names. A session is named by its credentials as they were handed out, or by its
 * handle alone; every other credential by its token.
 */
async function credentialOf(deps: ReturnDeps, token: string): Promise<Found | undefined> {
  const [called] = await credentialsByHandle(deps.ledger, token);
  return called === undefined ? (await inspect(deps, token))?.found : findCredential(deps.ledger, called);
}
