/** RFC 7009: a holder gives its credential back. Anybody else's token, and what is no token, is left alone and answered alike. */
import { assertLiveCaller } from '../authorization/caller.js';
import type { Deps } from '../authorization/deps.js';
import { readPresented } from '../authorization/presented-token.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { dropCredential, findCredential, type Found } from '../ledger/credentials.js';
import { credentialsByHandle } from '../ledger/handles.js';
import { sessionEffect } from '../revocation/effects.js';
import { revoke } from '../ledger/revoke.js';
import type { SessionEffect } from '../enforcement/effect.js';

/** Answers how far the end has come, where a target must be told of it. */
export async function revokeHeldToken(
  deps: Pick<Deps, 'ledger' | 'keys' | 'settings' | 'observer'>,
  caller: AuthenticatedCaller,
  token: string,
): Promise<SessionEffect | undefined> {
  const { ledger } = deps;
  await assertLiveCaller(deps, caller);
  const [called] = await credentialsByHandle(ledger, token);
  const held = called === undefined ? await heldToken(deps, token) : await heldSession(deps, called);
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
  found?: Found;
}

async function heldToken(deps: Pick<Deps, 'keys' | 'observer'>, token: string): Promise<Held | undefined> {
  const claims = await readPresented(deps, token);
  return claims && { id: claims.jti, task: claims.task.id, workload: claims.client_id, expiresAt: claims.exp * 1000 };
}

/** AWS credentials are given back as they were handed out, or by their access key id. */
async function heldSession({ ledger }: Pick<Deps, 'ledger'>, id: string): Promise<Held | undefined> {
  const found = await findCredential(ledger, id);
  if (!found) return undefined;
  const { credential, task } = found;
  return { id, task: task.id, workload: task.workload.id, expiresAt: credential.expiresAt, found };
}
