/** Permission to look at workloads. */
import type { BrokerError } from '../domain/errors.js';
import type { PartyRef } from '../domain/party.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { answersAhead } from './answers-ahead.js';
import { decideOperation } from './decide-operation.js';
import { Permission, type Permitted } from './permission.js';
import type { PermitDeps } from './permit.js';
import { permitsOrUnknown } from './permits-or-unavailable.js';

interface LookingBy {
  /** What `permitPart` says of `readRevocations`. */
  all: Permitted<'readRevocations'> | undefined;
  /** Is told why it is not known of a workload whether the caller may know of it. */
  unknown: (why: BrokerError) => void;
}

/**
 * Returns permission to look at each of the workloads that the caller may know of: all of them with `readRevocations`, else those
 * of which policy lets it read tasks. It is asked about a task without a purpose that nobody else opened. The others are left out.
 */
export async function permitLookingAt<W extends { party: PartyRef }>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  workloads: readonly W[],
  { all, unknown }: LookingBy,
): Promise<Permitted<'seeWorkload', W>[]> {
  const permission = (one: W) => new Permission(caller, 'seeWorkload', one);
  if (all) return workloads.map(permission);
  const permitted: Permitted<'seeWorkload', W>[] = [];
  const ask = ({ party: workload }: W) =>
    permitsOrUnknown(
      deps.policy,
      decideOperation(deps.policy, caller.party, 'readTask', { type: 'task', task: { workload, purpose: '' } }),
    );
  for await (const [one, may] of answersAhead(workloads, deps.policy.atOnce, ask)) {
    if (typeof may !== 'boolean') unknown(may);
    else if (may) permitted.push(permission(one));
  }
  return permitted;
}
