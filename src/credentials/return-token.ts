/** RFC 7009: a holder gives its credential back. A foreign token, and a text that is no token, are left alone and answered alike. */
import { auditingRefusals } from '../authorization/audit.js';
import { assertLiveCaller } from '../authorization/caller.js';
import { inspect, verifiedClaims } from '../authorization/inspect.js';
import type { SessionEffect } from '../enforcement/effect.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { dropCredential, findCredential, type Found } from '../ledger/credentials.js';
import { credentialsByHandle } from '../ledger/handles.js';
import { revoke } from '../ledger/revoke.js';
import { sessionEffect } from '../revocation/effects.js';
import type { Deps } from './deps.js';

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
  const held = await heldCredential(deps, token);
  if (held?.workload !== caller.party.id) return undefined;
  await revoke(ledger, {
    id: `returned:${held.id}`,
    selector: { kind: 'credential', value: held.id },
    effect: 'end',
    reason: 'returned by its holder',
    actor: caller.party.id,
    knownEnd: held.expiresAt,
  });
  await dropCredential(ledger, held).catch(() => undefined);
  return held.found && sessionEffect(ledger, held.found).catch(() => undefined);
}

interface Held {
  id: string;
  task: string;
  workload: string;
  expiresAt: number;
  /** The records; absent if they cannot be read. */
  found?: Found;
}

/**
 * Returns the credential that the text names. A session is named by its credentials as they were handed out, or by its
 * handle alone; every other credential by its token.
 */
async function heldCredential(deps: ReturnDeps, token: string): Promise<Held | undefined> {
  const [called] = await credentialsByHandle(deps.ledger, token);
  if (called !== undefined) return heldOf(await findCredential(deps.ledger, called));
  try {
    return heldOf((await inspect(deps, token))?.found);
  } catch {
    // A record that cannot be read must not stop a revocation: the token itself says which credential it is, and whose.
    const claims = await verifiedClaims(deps, token);
    return claims && { id: claims.jti, task: claims.task.id, workload: claims.client_id, expiresAt: claims.exp * 1000 };
  }
}

const heldOf = (found: Found | undefined): Held | undefined =>
  found && {
    id: found.credential.id,
    task: found.task.id,
    workload: found.task.workload.id,
    expiresAt: found.credential.expiresAt,
    found,
  };
