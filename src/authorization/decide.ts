/** Questions to policy. An access question is asked once for each pair of path and action: one denial refuses all, and the shortest lifetime counts. */
import { pairsOf, type Access } from '../domain/access.js';
import type { NeededApproval } from '../domain/approval.js';
import type { DecisionRecord } from '../domain/decision.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { newId } from '../domain/id.js';
import { EVALUATIONS_PER_POINT, HARD_LIMITS } from '../domain/limits.js';
import type { Given, Party } from '../domain/party.js';
import type { Task } from '../domain/task.js';
import { toTimestamp } from '../domain/time.js';
import type { JointRisk } from '../ledger/risk.js';
import { keptFacts } from '../policy/facts.js';
import { joinVerdicts } from '../policy/join-verdicts.js';
import type { Because, Verdict } from '../policy/policy-engine.js';
import type { AccessContext, Delegation, PolicyQuery, TaskFacts } from '../policy/query.js';
import { answersAhead } from './answers-ahead.js';
import type { Deps } from './deps.js';
import { easingOf, type Easing } from './easing.js';

/** An answer by policy. */
export interface Decision extends Pick<Verdict, 'outcome' | 'policies' | 'digest' | 'because' | 'failed'> {
  id: string;
  /** The query that was not permitted; else the last one. Absent where nothing was asked for. */
  query?: PolicyQuery;
  lifetimeSeconds: number;
  /** With `needs-approval`: whose yes is wanted, for all of the request, and the policies that want it. */
  needs?: NeededApproval[];
  wantedBy?: string[];
  /** With `deny`: when policy will permit it, because the risk has fallen. */
  eases?: Easing;
  /** With the same request a task is opened, of so many seconds: policy was asked for that too. */
  openedFor?: number;
  /** The task above the one that is about to be opened: policy was asked about that too. */
  parent?: TaskFacts;
}

/** Returns the decision as the audit log keeps it. */
export function recordOf(decision: Decision): DecisionRecord {
  const { id, query, outcome, needs, policies, digest, openedFor, parent, lifetimeSeconds } = decision;
  return defined({
    id,
    outcome,
    policies,
    digest,
    lifetimeSeconds: outcome !== 'deny' && lifetimeSeconds > 0 ? lifetimeSeconds : undefined,
    needs,
    ...(query && keptFacts(query, { isRefused: outcome === 'deny', openedFor, parent })),
  });
}

export interface AccessQuestion {
  party: Party;
  task: Task;
  target: string;
  access: readonly Access[];
  lifetimeSeconds: number;
  risk: JointRisk;
  now: number;
  /** The groups whose yes is complete. */
  approvals?: readonly string[];
  /** Of a use: what the one who asks says of it, and may say. */
  given?: Given;
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
  const points = Math.max(1, Math.ceil(evaluations / EVALUATIONS_PER_POINT));
  if (points > 1) await assertWithinRate(question.party, points - 1);
  const verdicts: Verdict[] = [];
  const timeLimit = policy.timeLimit?.();
  const ask = (query: PolicyQuery) => policy.decide(query, defined({ timeLimit }));
  for await (const [query, verdict] of answersAhead(queries, policy.atOnce, ask)) {
    verdicts.push(verdict);
    // What people would be asked about must not be refused in another part: a yes would be in vain.
    if (verdict.outcome !== 'deny') continue;
    const covers = (more: readonly PolicyQuery[]) =>
      (policy.evaluationsOf([...queries, ...more]) ?? Infinity) <= points * EVALUATIONS_PER_POINT;
    const eases = await easingOf(policy, { ...question, query, verdict, covers, timeLimit });
    return defined({ ...settled(verdicts, query, question.lifetimeSeconds), eases });
  }
  const waits = verdicts.findIndex(({ outcome }) => outcome !== 'permit');
  return settled(verdicts, queries.at(waits), question.lifetimeSeconds);
}

const tooManyEvaluations = () =>
  new BrokerError(
    'invalid_request',
    `Policy would take more than ${HARD_LIMITS.policyEvaluations} evaluations for this request; ask for fewer or narrower patterns.`,
    { retry: 'with-less' },
  );

/** Returns the refusal, with a sentence for the developer of the caller. */
export function denied(denial: Decision): BrokerError {
  const { query, outcome, because, eases } = denial;
  const [about, decision] = [query ? describeQuery(query) : 'nothing', recordOf(denial)];
  if (outcome === 'needs-approval') {
    const text = `Policy requires an approval for ${about}.`;
    return new BrokerError('access_denied', text, { decision, retry: 'after-approval' });
  }
  const why = whyDenied(about, because);
  if (!eases) return new BrokerError('access_denied', why, { decision });
  const when = `At the risk ${eases.to} it is permitted; the risk falls to that at ${toTimestamp(eases.at)}, unless it is raised again.`;
  return new BrokerError('access_denied', `${why} ${when}`, {
    decision,
    retry: 'later',
    retryAfterSeconds: eases.waitSeconds,
  });
}

function whyDenied(about: string, { why, policies }: Because = { why: 'no-permit', policies: [] }): string {
  switch (why) {
    case 'forbidden':
      return `Policy forbids ${about}, by ${policiesNamed(policies)}.`;
    case 'other-purpose':
      return `No policy permits ${about} for this purpose; for another, ${policiesNamed(policies)} would.`;
    case 'failed':
      return `Policy cannot be evaluated for ${about}, because of ${policiesNamed(policies)}; that refuses it.`;
    default:
      return `No policy permits ${about}.`;
  }
}

/** The audit log has all of them. */
const NAMED_AT_MOST = 3;

export function policiesNamed(policies: readonly string[]): string {
  const named = policies.slice(0, NAMED_AT_MOST).map((id) => `"${id}"`);
  const more = policies.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Returns the facts that policy may know of a task that is about to be opened: it has no id yet. */
export const draftFacts = ({ workload, purpose, openedBy }: Task): TaskFacts =>
  defined({ workload, purpose, openedBy });

export const factsOf = (task: Task): TaskFacts => ({ id: task.id, ...draftFacts(task) });

/** Returns the person whom the task serves. The chain names a workload that handed it on. */
export const personOf = ({ principal }: Pick<Task, 'principal'>): Task['principal'] =>
  principal?.kind === 'person' ? principal : undefined;

export const delegationOf = ({ lineage, chain = [] }: Task): Delegation =>
  defined({ delegationDepth: lineage.length, delegatedBy: chain[0], chain });

function* queriesOf({
  party,
  task,
  target,
  access,
  lifetimeSeconds,
  risk,
  approvals = [],
  given,
}: AccessQuestion): Generator<PolicyQuery> {
  const context: AccessContext = defined({
    kind: 'access',
    purpose: task.purpose,
    purposeFrom: task.purposeFrom,
    lifetimeSeconds,
    // A person's token may be presented only once for a task. Policy sees the person at each renewal all the same.
    onBehalfOf: personOf(task),
    principalProven: task.principalProven ?? false,
    openedBy: task.openedBy,
    ...delegationOf(task),
    approvals: [...approvals],
    risk: risk.level,
    given,
  });
  for (const { path, action } of pairsOf(access)) {
    yield { principal: party, action, resource: { type: 'resource', target, path }, context };
  }
}

/** Returns the one decision that the verdicts make together. */
export function settled(
  verdicts: readonly Verdict[],
  query: PolicyQuery | undefined,
  lifetimeSeconds: number,
): Decision {
  const joint = joinVerdicts(verdicts);
  return defined({
    id: newId('dec'),
    query,
    ...joint,
    lifetimeSeconds: Math.min(lifetimeSeconds, joint.lifetimeSeconds ?? lifetimeSeconds),
  });
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
