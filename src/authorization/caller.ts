/** Every authenticated caller is looked up in the revocation log: a party that is held or cut off may call nothing. */
import { BrokerError } from '../domain/errors.js';
import { partyCauses, runCauses } from '../domain/hangs-on.js';
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

/**
 * Throws if the run has ended that the caller's token names: nothing is opened or issued on it any more. The run may still read and
 * complete what it has.
 * @param seen A look that includes the `runCauses` of the caller.
 */
export function refuseEndedRun({ party }: AuthenticatedCaller, seen: Seen): void {
  const ended = seen.on(runCauses(party)).find((tombstone) => tombstone?.ended)?.ended;
  if (ended) throw new BrokerError('invalid_grant', `The run that the token names has ended: ${ended.as}.`);
}

export const held = (): BrokerError =>
  new BrokerError('access_denied', 'A hold is in force; nothing is granted until it is lifted.', {
    retry: 'after-lift',
  });
