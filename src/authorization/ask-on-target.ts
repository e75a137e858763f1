/** What policy lets a caller do at a target. Whether the caller is alive must be known. */
import type { BrokerError } from '../domain/errors.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { Decision } from './decide.js';
import { decideOperation, refusalOf } from './decide-operation.js';
import type { PermitDeps } from './permit.js';
import { permitsOrUnavailable, unknownWhether } from './permits-or-unavailable.js';

type VerbOfUses = 'introspect' | 'evaluate' | 'assertProperties';
type AskDeps = Pick<PermitDeps, 'policy'>;

/**
 * Returns why the caller may not do that: policy refuses it, or nobody knows whether it does. Undefined: policy permits it. It is for
 * answers that tell nobody of a refusal: one that is not known must not look like that.
 */
export async function refusalOnTarget(
  deps: AskDeps,
  caller: AuthenticatedCaller,
  verb: VerbOfUses,
  target: string,
): Promise<BrokerError | undefined> {
  const decision = await decideOnTarget(deps, caller, verb, target);
  return unknownWhether(decision) ?? refusalOf(decision);
}

/** Throws where nobody knows it. */
export const mayOnTarget = async (...asked: Parameters<typeof decideOnTarget>): Promise<boolean> =>
  permitsOrUnavailable(await decideOnTarget(...asked));

const decideOnTarget = (
  { policy }: AskDeps,
  { party }: AuthenticatedCaller,
  verb: VerbOfUses,
  target: string,
): Promise<Decision> => decideOperation(policy, party, verb, { type: 'target', target });
