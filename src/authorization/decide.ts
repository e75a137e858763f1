/** Questions to policy. An access question is asked once for each pair of path and action: one denial refuses all, and the shortest lifetime counts. */
import { pairsOf, type Access } from '../domain/access.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { newId } from '../domain/id.js';
import { EVALUATIONS_PER_POINT, HARD_LIMITS } from '../domain/limits.js';
import type { Party } from '../domain/party.js';
import type { Level } from '../domain/signal.js';
import type { Task } from '../domain/task.js';
import type { Verdict } from '../policy/policy-engine.js';
import type {
  AccessContext,
  OperateContext,
  OperatorVerb,
  PolicyQuery,
  PolicyResource,
  TaskFacts,
} from '../policy/query.js';
import type { Deps } from './deps.js';

/** An answer by policy, as the audit log keeps it. */
export interface Decision extends Pick<Verdict, 'outcome' | 'policies' | 'digest'> {
  id: string;
  lifetimeSeconds: number;
  /** A description of the last question. If policy denies, it is the question that was denied. */
  about: string;
}

interface AccessQuestion {
  party: Party;
  task: Task;
  target: string;
  access: readonly Access[];
  lifetimeSeconds: number;
  risk: Level;
}

interface AccessDeps extends Pick<Deps, 'policy'> {
  /** Throws `slow_down` if the party, or its issuer, has not so many points left. */
  assertWithinRate: (party: Party, points: number) => Promise<void>;
}

/**
 * Counts what the questions cost before the first is asked: more than one request may cost is refused, and what is dear counts
 * as several requests.
 */
export async function decideAccess(
  { policy, assertWithinRate }: AccessDeps,
  question: AccessQuestion,
): Promise<Decision> {
  const queries = [...queriesOf(question)];
  const evaluations = policy.evaluationsOf(queries);
  if (evaluations === undefined) throw tooManyEvaluations();
  // The first point was taken for the request itself.
  const points = Math.ceil(evaluations / EVALUATIONS_PER_POINT) - 1;
  if (points > 0) await assertWithinRate(question.party, points);
  const verdicts: Verdict[] = [];
  let about = '';
  for (const query of queries) {
    const verdict = await policy.decide(query);
    verdicts.push(verdict);
    about = describeQuery(query);
    if (verdict.outcome !== 'permit') break;
  }
  return settled(verdicts, question.lifetimeSeconds, about);
}

/** Asks the one question of an operator verb. The lifetime is that of the task to be opened, or 0 for every other verb. */
export async function decideOperation(
  policy: Deps['policy'],
  party: Party,
  action: OperatorVerb,
  resource: PolicyResource,
  context: Omit<OperateContext, 'kind'> = {},
): Promise<Decision> {
  const query: PolicyQuery = { principal: party, action, resource, context: { kind: 'operate', ...context } };
  return settled([await policy.decide(query)], context.opening?.lifetimeSeconds ?? 0, describeQuery(query));
}

const tooManyEvaluations = () =>
  new BrokerError(
    'invalid_request',
    `Policy would take more than ${HARD_LIMITS.policyEvaluations} evaluations for this request; ask for fewer or narrower patterns.`,
    { retry: 'with-less' },
  );

/** Returns the refusal, with a sentence for the developer of the caller. */
export function denied({ about, id, outcome, policies, digest }: Decision): BrokerError {
  const decision = { id, outcome, policies, digest };
  return outcome === 'needs-approval'
    ? new BrokerError('access_denied', `Policy requires an approval for ${about}.`, {
        decision,
        retry: 'after-approval',
      })
    : new BrokerError('access_denied', `Policy does not permit ${about}.`, { decision });
}

/** Returns the facts that policy may know of a task that is about to be opened: it has no id yet. */
export const draftFacts = ({ workload, purpose, openedBy }: Task): TaskFacts =>
  defined({ workload, purpose, openedBy });

export const factsOf = (task: Task): TaskFacts => ({ id: task.id, ...draftFacts(task) });

function* queriesOf({ party, task, target, access, lifetimeSeconds, risk }: AccessQuestion): Generator<PolicyQuery> {
  const context: AccessContext = defined({
    kind: 'access',
    purpose: task.purpose,
    purposeFrom: task.purposeFrom,
    lifetimeSeconds,
    delegationDepth: task.lineage.length,
    // A person's token may be presented only once for a task. Policy sees the person at each renewal all the same.
    onBehalfOf: task.principal,
    principalProven: task.principalProven ?? false,
    openedBy: task.openedBy,
    chain: [],
    approvals: [],
    risk,
  });
  for (const { path, action } of pairsOf(access)) {
    yield { principal: party, action, resource: { type: 'resource', target, path }, context };
  }
}

function settled(verdicts: readonly Verdict[], lifetimeSeconds: number, about: string): Decision {
  const last = verdicts.at(-1);
  return {
    id: newId('dec'),
    outcome: last?.outcome ?? 'deny',
    policies: [...new Set(verdicts.flatMap(({ policies }) => policies))],
    digest: last?.digest ?? '',
    lifetimeSeconds: Math.min(
      lifetimeSeconds,
      ...verdicts.map((verdict) => verdict.lifetimeSeconds ?? lifetimeSeconds),
    ),
    about,
  };
}

/** Paths and actions have a checked alphabet, so an error text may contain them. */
function describeQuery({ action, resource }: PolicyQuery): string {
  switch (resource.type) {
    case 'resource':
      return `"${action}" on ${resource.path}`;
    case 'task':
      return action === 'openTask' ? 'opening this task' : `"${action}" on this task`;
    default:
      return `"${action}"`;
  }
}
