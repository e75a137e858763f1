/** Every authenticated caller is looked up in the revocation log: a party that is held or cut off may call nothing. */
import { BrokerError } from '../domain/errors.js';
import { partyCauses } from '../domain/hangs-on.js';
import { refusesProof } from '../domain/liveness.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { Seen } from '../ledger/revocation-log.js';
import type { Deps } from './deps.js';

/** @param seen A look that includes the `partyCauses` of the caller. */
export function refuseDeadCaller(
  { settings, observer }: Pick<Deps, 'settings' | 'observer'>,
  { party, proofHash, issuedAt }: AuthenticatedCaller,
  seen: Seen,
): void {
  const problem = refusesProof(seen.on(partyCauses(party)), issuedAt, settings.lifetimes.clockSkew * 1000);
  if (problem !== undefined) observer.lockedOut({ kind: 'proof', id: proofHash, of: party });
  if (problem === 'held') throw held();
  if (problem === 'cut') {
    throw new BrokerError(
      'access_denied',
      'This identity was cut off after the token was issued; present a fresh one.',
      { retry: 'later' },
    );
  }
}

/** Throws if the caller is held or cut off. It is for verbs that need no other look at the log. */
export async function assertLiveCaller(
  deps: Pick<Deps, 'ledger' | 'settings' | 'observer'>,
  caller: AuthenticatedCaller,
): Promise<void> {
  refuseDeadCaller(deps, caller, await deps.ledger.log.look(partyCauses(caller.party)));
}

export const held = (): BrokerError =>
  new BrokerError('access_denied', 'A hold is in force; nothing is granted until it is lifted.', {
    retry: 'after-lift',
  });
