/** Permission by one question to policy, once the caller is known to be alive. */
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { OperateContext, OperatorVerb } from '../policy/query.js';
import { assertLiveCaller } from './caller.js';
import type { Decision } from './decide.js';
import { decideOperation, refusalOf } from './decide-operation.js';
import type { Deps } from './deps.js';
import { Permission, type Permitted } from './permission.js';

export type PermitDeps = Pick<Deps, 'ledger' | 'policy' | 'settings' | 'observer'>;

/** What is to be permitted to whom. */
interface Wanted<V extends OperatorVerb, Subject> {
  caller: AuthenticatedCaller;
  verb: V;
  subject: Subject;
}

/** @param decide Asks policy about the verb and the subject. */
export async function permit<V extends OperatorVerb, Subject>(
  deps: PermitDeps,
  { caller, verb, subject }: Wanted<V, Subject>,
  decide: () => Promise<Decision>,
): Promise<Permitted<V, Subject>> {
  await assertLiveCaller(deps, caller);
  const refusal = refusalOf(await decide());
  if (refusal) throw refusal;
  return new Permission(caller, verb, subject);
}

/** Asks policy about a verb on the broker itself. Whether the caller is alive must be known. */
export const decideOnBroker = (
  { policy }: Pick<PermitDeps, 'policy'>,
  { party }: AuthenticatedCaller,
  verb: OperatorVerb,
  context?: Omit<OperateContext, 'kind'>,
): Promise<Decision> => decideOperation(policy, party, verb, { type: 'broker' }, context);
