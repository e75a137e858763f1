/**
 * A JSON endpoint behind an operator verb: authenticates the caller, reads the input, asks for permission, then acts. Whatever
 * is refused on the way is audited here, once, for every verb.
 */
import { z } from 'zod';
import type { AuditEvent } from '../../audit/event.js';
import { auditingRefusals, itself, nobody } from '../../authorization/audit.js';
import type { Permitted } from '../../authorization/permission.js';
import { permitOnBroker, type BrokerVerb } from '../../authorization/permit-on-broker.js';
import { permitOnTask, type PermittedTask, type TaskVerb } from '../../authorization/permit-on-task.js';
import type { PartyRef } from '../../domain/party.js';
import type { HttpDeps } from '../deps.js';
import type { AuthenticatedCaller } from '../../identity/proof.js';
import { NEVER_DELAYED, type OperatorVerb } from '../../policy/query.js';
import { authenticate } from './authenticate.js';
import { readJson, readQuery } from './body.js';
import { described, type Contract, type Described } from './contract.js';
import type { Answer, Call } from './endpoint.js';

/**
 * What `act` receives: a permission, or one for each entry of a list. Opening a task is the exception: policy is asked about the task
 * that the use case drafts, so the use case itself asks.
 */
type PermissionFor<V extends OperatorVerb> = V extends 'openTask'
  ? AuthenticatedCaller
  : Permitted<Behind<V>, unknown> | { permitted: readonly Permitted<Behind<V>, unknown>[] };

/** Where several verbs let a caller see something, endpoints are entered under one of them, and the permission is that of seeing. */
type Behind<V extends OperatorVerb> = V extends 'approve'
  ? 'seeApproval'
  : V extends 'readRevocations'
    ? V | 'seeWorkload'
    : V;

interface Operation<V extends OperatorVerb, S extends z.ZodType, P> extends Told {
  verb: V;
  /** Where the input is: in a JSON body, or in the query string. */
  from: 'body' | 'query';
  input: S;
  /** Asks policy, and throws the refusal. It may read records first, because they decide the question; it reveals none. */
  permit: (caller: AuthenticatedCaller, input: z.output<S>, call: Call) => Promise<P>;
  act: (permission: P, input: z.output<S>, call: Call) => Promise<Answer>;
  /**
   * Whom detectors charge with a denial. `nobody`: it is about something that others made and may have named to the caller, so
   * that they could have it denied again and again.
   */
  charged: (input: z.output<S>) => 'caller' | 'nobody';
  /** The limit of how often a party may ask this; default: with everything else that it asks. Throws `slow_down`. */
  within?: (party: PartyRef) => Promise<void>;
  /** Further fields of the audit entry when `act` throws a refusal. */
  about?: (input: z.output<S>) => Pick<AuditEvent, 'verb' | 'purpose'>;
}

/** What the contract of an operation says beyond its verb and its input. */
type Told = Pick<Contract, 'summary' | 'needs' | 'path' | 'takesIdempotencyKey' | 'answers' | 'refusals'>;

/** The verbs that a broker with a wrong clock takes proof for. What else they can do, a lift or a preview, reads the checked time. */
const ENDING: ReadonlySet<string> = new Set([...NEVER_DELAYED, 'sendSignal']);

/** The input of verbs that have everything in their path. */
export const nothing = z.strictObject({});

/** Does not compile without a question to policy about the same verb. */
export const operation = <V extends OperatorVerb, S extends z.ZodType, P extends PermissionFor<V>>(
  deps: HttpDeps,
  declared: Operation<V, S, P>,
): Described => handled(deps, declared);

/** Returns an operation on the broker as a whole: policy is asked by the verb alone. */
export const brokerOperation = <V extends BrokerVerb, S extends z.ZodType>(
  deps: HttpDeps,
  declared: Omit<Operation<V, S, Permitted<V>>, 'permit' | 'charged'>,
): Described =>
  handled(deps, {
    ...declared,
    charged: () => 'caller',
    permit: (caller) => permitOnBroker(deps, caller, declared.verb),
  });

/** An operation on the task in the path. A text that is no id names no task, and is refused like any other unknown id. */
export const taskOperation = <V extends TaskVerb, S extends z.ZodType>(
  deps: HttpDeps,
  declared: Omit<Operation<V, S, PermittedTask<V>>, 'permit' | 'charged'>,
): Described =>
  handled(deps, {
    ...declared,
    charged: () => 'nobody',
    permit: (caller, _, { params }) => permitOnTask(deps, caller, declared.verb, params['id'] ?? ''),
  });

function handled<V extends OperatorVerb, S extends z.ZodType, P>(
  deps: HttpDeps,
  { verb, from, input, charged, permit, act, about, within, ...told }: Operation<V, S, P>,
): Described {
  const contract: Contract = { needs: `\`${verb}\``, ...told, proof: 'bearer', [from]: input };
  return described(contract, async (call) => {
    const caller = await authenticate(deps, call, ENDING.has(verb) ? 'ending' : undefined);
    // Every other verb is rate limited, before it can write to the audit log.
    if (!NEVER_DELAYED.has(verb)) await (within ? within(caller.party) : deps.assertWithinRate(caller.party));
    // An entry keeps `task` only if it is the id of a task.
    const { params, requestId } = call;
    const asked = { type: 'operation.refused', verb, task: params['id'] ?? '', requestId, charged: nobody } as const;
    const read = await auditingRefusals(deps, caller, asked, () =>
      from === 'body' ? readJson(call, input) : readQuery(call, input),
    );
    const wanting = { ...asked, charged: charged(read) === 'caller' ? itself(caller) : nobody };
    const permission = await auditingRefusals(deps, caller, wanting, () => permit(caller, read, call));
    // A security team that looks up what is gone would otherwise look like a workload that probes for what it may not have.
    // Opening a task is permitted within `act`, so its refusals still count as denials.
    const acting = { ...(verb === 'openTask' ? wanting : asked), ...about?.(read) };
    return auditingRefusals(deps, caller, acting, () => act(permission, read, call));
  });
}
