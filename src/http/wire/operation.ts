/** A JSON endpoint behind an operator verb: authenticates the caller, reads the input, asks for permission, then acts. */
import { z } from 'zod';
import { auditingRefusals } from '../../authorization/audit-refusal.js';
import { permitOnBroker, type BrokerVerb, type Permitted } from '../../authorization/permit.js';
import type { AuthenticatedCaller } from '../../identity/proof.js';
import type { OperatorVerb } from '../../policy/query.js';
import type { HttpDeps } from '../deps.js';
import { authenticate } from './authenticate.js';
import { readJson, readQuery } from './body.js';
import type { Answer, Call, Handle } from './endpoint.js';

/**
 * What `act` receives: the permitted caller, alone or with the records that policy was asked about. Opening a task is the
 * exception: policy is asked about the task that the use case drafts, so the use case itself asks.
 */
type PermissionFor<V extends OperatorVerb> = V extends 'openTask'
  ? AuthenticatedCaller
  : Permitted<V> | { caller: Permitted<V> };

interface Operation<V extends OperatorVerb, S extends z.ZodType, P> {
  verb: V;
  /** Where the input is: in a JSON body, or in the query string. */
  from: 'body' | 'query';
  input: S;
  /** Asks policy, and throws the refusal. It may read records first, because they decide the question; it reveals none. */
  permit: (caller: AuthenticatedCaller, input: z.output<S>, call: Call) => Promise<P>;
  act: (permission: P, input: z.output<S>, call: Call) => Promise<Answer>;
}

/** The power to end and to hold is never rate limited. Every other verb is, before it can write to the audit log. */
const NOT_RATE_LIMITED: ReadonlySet<OperatorVerb> = new Set(['revoke', 'completeTask', 'suspendTask']);

/** The input of verbs that have everything in their path. */
export const nothing = z.strictObject({});

/** Does not compile without a question to policy about the same verb. */
export const operation = <V extends OperatorVerb, S extends z.ZodType, P extends PermissionFor<V>>(
  deps: HttpDeps,
  declared: Operation<V, S, P>,
): Handle => handled(deps, declared);

/** Returns an operation on the broker as a whole: policy is asked by the verb alone. */
export const brokerOperation = <V extends BrokerVerb, S extends z.ZodType>(
  deps: HttpDeps,
  declared: Omit<Operation<V, S, Permitted<V>>, 'permit'>,
): Handle =>
  handled(deps, {
    ...declared,
    permit: (caller, _, { requestId }) => permitOnBroker(deps, caller, declared.verb, requestId),
  });

const handled =
  <V extends OperatorVerb, S extends z.ZodType, P>(
    deps: HttpDeps,
    { verb, from, input, permit, act }: Operation<V, S, P>,
  ): Handle =>
  async (call) => {
    const caller = await authenticate(deps, call);
    if (!NOT_RATE_LIMITED.has(verb)) await deps.assertWithinRate(caller.party.id);
    const about = { type: 'operation.refused', verb, requestId: call.requestId } as const;
    const read = await auditingRefusals(deps, caller, about, () =>
      from === 'body' ? readJson(call, input) : readQuery(call, input),
    );
    return act(await permit(caller, read, call), read, call);
  };
