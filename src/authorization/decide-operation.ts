/**
 * The one question to policy that an operator verb costs. Only the files beside this one ask it (`npm run imports`): what they hand on
 * is a permission, a refusal, or that nobody knows. A decision that others compare themselves would lose the last of these.
 */
import type { BrokerError } from '../domain/errors.js';
import type { Party } from '../domain/party.js';
import type { OperateContext, OperatorVerb, PolicyQuery, PolicyResource } from '../policy/query.js';
import { denied, settled, type Decision } from './decide.js';
import type { Deps } from './deps.js';

/** The lifetime of the decision is that of the task to be opened, or 0 for every other verb. */
export async function decideOperation(
  policy: Deps['policy'],
  party: Party,
  action: OperatorVerb,
  resource: PolicyResource,
  context: Omit<OperateContext, 'kind'> = {},
): Promise<Decision> {
  const query: PolicyQuery = { principal: party, action, resource, context: { kind: 'operate', ...context } };
  return settled([await policy.decide(query)], query, context.opening?.lifetimeSeconds ?? 0);
}

/** Returns the refusal of the whole request, which is safe also where policy could not be evaluated. Undefined: policy permits it. */
export const refusalOf = (decision: Decision): BrokerError | undefined =>
  decision.outcome === 'permit' ? undefined : denied(decision);
