/** Permission for verbs on the broker as a whole, on a target, and on a run. */
import { runOf, runValue } from '../domain/party.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { assertLiveCaller } from './caller.js';
import { decideOperation } from './decide-operation.js';
import { Permission, type Permitted } from './permission.js';
import { decideOnBroker, permit, type PermitDeps } from './permit.js';
import { permitsOrUnavailable } from './permits-or-unavailable.js';

/** Verbs on the broker as a whole: policy is asked by the verb alone. */
export type BrokerVerb = 'readRevocations' | 'readCredential' | 'readAudit' | 'sendSignal' | 'followFeed';

export const permitOnBroker = <V extends BrokerVerb>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: V,
): Promise<Permitted<V>> =>
  permit(deps, { caller, verb, subject: undefined }, () => decideOnBroker(deps, caller, verb));

/** Returns the permission, or undefined where policy refuses it: for a part that an answer may leave out. */
export async function permitPart<V extends BrokerVerb>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: V,
): Promise<Permitted<V> | undefined> {
  await assertLiveCaller(deps, caller);
  return permitsOrUnavailable(await decideOnBroker(deps, caller, verb))
    ? new Permission(caller, verb, undefined)
    : undefined;
}

/** Policy may permit one target and not another. @param target its `resource`, or what the caller took for one */
export const permitOnTarget = (
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  verb: 'reportUsage',
  target: string,
): Promise<Permitted<'reportUsage', { target: string }>> =>
  permit(deps, { caller, verb, subject: { target } }, () =>
    decideOperation(deps.policy, caller.party, verb, { type: 'target', target }),
  );

/** A run that is to be completed, as `issuer` (a trust name) and the name that tokens of that issuer say. */
export type NamedRun = Readonly<Record<'issuer' | 'run', string>>;

/** Policy knows whether it is the caller's own run. */
export function permitOnRun(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  { issuer, run }: NamedRun,
): Promise<Permitted<'completeRun', NamedRun>> {
  const own = runOf(caller.party) === runValue(issuer, run);
  return permit(deps, { caller, verb: 'completeRun', subject: { issuer, run } }, () =>
    decideOnBroker(deps, caller, 'completeRun', { run: { issuer, run, own } }),
  );
}
