/** What policy lets a person answer of a request that waits: the question of each group that is wanted is one of its own. */
import type { Approval } from '../domain/approval.js';
import { isOwnRequest } from '../domain/approval-answers.js';
import { defined } from '../domain/defined.js';
import type { BrokerError } from '../domain/errors.js';
import type { Task } from '../domain/task.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { ApprovalFacts, OperateContext } from '../policy/query.js';
import { personOf } from './decide.js';
import { decideOperation } from './decide-operation.js';
import type { Deps } from './deps.js';
import { permitsOrUnknown } from './permits-or-unavailable.js';

/** What a person may do about an approval, as far as policy decides that. */
export interface Answerable {
  /** The groups that are wanted, and for which policy lets the caller answer. */
  groups: readonly string[];
  /** Policy lets the caller agree in the place of all of them. */
  breaksGlass: boolean;
  /**
   * Of which of both something is not known, because a policy cannot be evaluated, or an engine elsewhere fails at the question: it counts
   * as no. A mistake in what is said of emergencies, or of one request, must not keep people from all the others.
   */
  unknown: { groups?: BrokerError; breaksGlass?: BrokerError };
}

/** Returns whether policy lets the caller answer at all. */
export const canAnswer = ({ groups, breaksGlass }: Pick<Answerable, 'groups' | 'breaksGlass'>): boolean =>
  groups.length > 0 || breaksGlass;

/** Only persons answer, whatever policies say. */
export async function askWhatMayBeAnswered(
  { policy }: Pick<Deps, 'policy'>,
  { party }: AuthenticatedCaller,
  approval: Approval,
  task: Task | undefined,
): Promise<Answerable> {
  if (party.kind !== 'person') return { groups: [], breaksGlass: false, unknown: {} };
  const unknown: Answerable['unknown'] = {};
  const lets = async (verb: 'approve' | 'breakGlass', group: string, context?: Omit<OperateContext, 'kind'>) => {
    const resource = { type: 'approval', approval: factsOf(approval, group) } as const;
    const may = await permitsOrUnknown(policy, decideOperation(policy, party, verb, resource, context));
    if (typeof may === 'boolean') return may;
    unknown[verb === 'approve' ? 'groups' : 'breaksGlass'] ??= may;
    return false;
  };
  const emergency = { own: isOwnRequest(party, approval, task) };
  const groups: string[] = [];
  let breaksGlass = true;
  for (const { group } of approval.needs) {
    if (await lets('approve', group)) groups.push(group);
    breaksGlass &&= await lets('breakGlass', group, { emergency });
  }
  return { groups, breaksGlass, unknown };
}

const factsOf = (approval: Approval, group: string): ApprovalFacts => {
  const { id, workload, asked, purpose } = approval;
  const { target, access } = asked;
  return defined({ id, group, workload, onBehalfOf: personOf(approval), target, access, purpose });
};
