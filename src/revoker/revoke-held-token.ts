/** RFC 7009: a holder gives its credential back. Anybody else's token, and what is no token, is left alone and answered alike. */
import { assertLiveCaller } from '../broker/caller.js';
import type { Deps } from '../broker/deps.js';
import { readPresented } from '../broker/presented-token.js';
import type { Proven } from '../identity/caller.js';
import { dropCredential } from '../ledger/credentials.js';
import { revoke } from './revoke.js';

export async function revokeHeldToken(
  deps: Pick<Deps, 'ledger' | 'keys' | 'settings'>,
  caller: Proven,
  token: string,
): Promise<void> {
  const { ledger } = deps;
  await assertLiveCaller(deps, caller);
  const claims = await readPresented(deps, token);
  if (claims?.client_id !== caller.party.id) return;
  await revoke(ledger, {
    id: `returned:${claims.jti}`,
    selector: { kind: 'credential', value: claims.jti },
    effect: 'end',
    reason: 'returned by its holder',
    actor: caller.party.id,
    knownEnd: claims.exp * 1000,
  });
  await dropCredential(ledger, { id: claims.jti, task: claims.task.id }).catch(() => undefined);
}
