/** Permission to look at workloads. */
import type { PartyRef } from '../domain/party.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { answersAhead } from './answers-ahead.js';
import { decideOperation } from './decide-operation.js';
import { Permission, type Permitted } from './permission.js';
import type { PermitDeps } from './permit.js';
import { permitsOrUnavailable } from './permits-or-unavailable.js';

/**
 * Returns permission to look at each of the workloads that the caller may know of: all of them with `readRevocations`, else those
 * of which policy lets it read tasks. It is asked about a task without a purpose that nobody else opened. The others are left out.
 * @param all what `permitPart` says of `readRevocations`
 */
export async function permitLookingAt<W extends { party: PartyRef }>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  workloads: readonly W[],
  all: Permitted<'readRevocations'> | undefined,
): Promise<Permitted<'seeWorkload', W>[]> {
  const permission = (one: W) => new Permission(caller, 'seeWorkload', one);
  if (all) return workloads.map(permission);
  const permitted: Permitted<'seeWorkload', W>[] = [];
  const ask = ({ party: workload }: W) =>
    decideOperation(deps.policy, caller.party, 'readTask', { type: 'task', task: { workload, purpose: '' } });
  for await (const [one, decision] of answersAhead(workloads, deps.policy.atOnce, ask))
    if (permitsOrUnavailable(decision)) permitted.push(permission(one));
  return permitted;
}
