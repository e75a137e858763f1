/** A query to policy as the audit log keeps it, and back: so that it can be explained later, and asked of other policies. */
import type { DecisionRecord, Facts } from '../domain/decision.js';
import { defined } from '../domain/defined.js';
import { HARD_LIMITS } from '../domain/limits.js';
import type { Party, PartyRef, RememberedPerson } from '../domain/party.js';
import { holdsToken, withoutTokens } from '../domain/token-in-text.js';
import type {
  AccessContext,
  ApprovalFacts,
  Delegation,
  OperateContext,
  PolicyQuery,
  PolicyResource,
  TaskFacts,
} from './query.js';

/** What was asked in the same breath, and is no part of the query. */
interface Beside {
  /** The pair was not permitted. */
  isRefused?: boolean;
  /** With the same request a task was opened, of so many seconds. */
  openedFor?: number | undefined;
  /** The task above the one that is about to be opened. */
  parent?: TaskFacts | undefined;
}

/** Returns what is kept of the query. What is too long, or could be a secret that somebody wrote in place of a name, is not kept. */
export function keptFacts(query: PolicyQuery, beside: Beside = {}): Pick<DecisionRecord, 'facts' | 'unkept'> {
  if (textsIn(query).some((text) => withoutTokens(text) !== text)) return { unkept: 'may-hold-a-secret' };
  // A target is a URI. A secret that was put there by mistake has no colon.
  if (query.resource.type === 'target' && !query.resource.target.includes(':')) return { unkept: 'may-hold-a-secret' };
  const facts = factsOf(query, beside);
  const text = JSON.stringify(facts);
  if (text.length > HARD_LIMITS.decisionFactsCharacters) return { unkept: 'too-long' };
  return holdsToken(text) ? { unkept: 'may-hold-a-secret' } : { facts };
}

/** Returns what callers write as they like. Names and paths have been looked at where they entered. */
function textsIn({ resource, context }: PolicyQuery): string[] {
  const purposes = resource.type === 'task' ? [resource.task.purpose] : [];
  if (resource.type === 'approval') purposes.push(resource.approval.purpose);
  if (context.kind === 'access') return [...purposes, context.purpose];
  return context.revocation ? [...purposes, context.revocation.value] : purposes;
}

function factsOf({ principal, action, resource, context }: PolicyQuery, beside: Beside): Facts {
  const by = partyFacts(principal);
  if (context.kind === 'operate')
    return { principal: by, operation: operationFacts({ action, resource, context }, beside) };
  const refused = beside.isRefused && resource.type === 'resource' ? { action, path: resource.path } : undefined;
  return { principal: by, access: defined({ ...accessFacts(context), refused, openedFor: beside.openedFor }) };
}

function accessFacts(context: AccessContext): NonNullable<Facts['access']> {
  const { purpose, purposeFrom, lifetimeSeconds, delegationDepth, onBehalfOf, openedBy, chain, approvals, risk } =
    context;
  return defined({
    purpose,
    purposeFrom,
    lifetimeSeconds,
    ...delegationFacts({ delegationDepth, chain }),
    onBehalfOf: onBehalfOf && partyFacts(onBehalfOf),
    principalProven: context.principalProven || undefined,
    openedBy: openedBy && named(openedBy),
    approvals: approvals.length > 0 ? [...approvals] : undefined,
    risk: risk === 'LOW' ? undefined : risk,
    given: context.given && true,
  });
}

function operationFacts(
  { action, resource, context }: Pick<PolicyQuery, 'action' | 'resource'> & { context: OperateContext },
  { parent }: Beside,
): NonNullable<Facts['operation']> {
  const { revocation, run, opening } = context;
  return defined({
    action,
    target: resource.type === 'target' ? resource.target : undefined,
    task: resource.type === 'task' ? taskFacts(resource.task) : undefined,
    parent: parent && taskFacts(parent),
    approval: resource.type === 'approval' ? approvalFacts(resource.approval) : undefined,
    emergency: context.emergency,
    revocation,
    run,
    opening:
      opening &&
      defined({
        lifetimeSeconds: opening.lifetimeSeconds,
        ...delegationFacts(opening),
        onBehalfOf: opening.onBehalfOf && partyFacts(opening.onBehalfOf),
        principalProven: opening.principalProven || undefined,
      }),
  });
}

const delegationFacts = ({ delegationDepth, chain }: Pick<Delegation, 'delegationDepth' | 'chain'>) => ({
  delegationDepth: delegationDepth || undefined,
  chain: chain.length > 0 ? chain.map(named) : undefined,
});

const delegationOf = ({
  delegationDepth = 0,
  chain = [],
}: {
  delegationDepth?: number | undefined;
  chain?: PartyRef[] | undefined;
}): Delegation => defined({ delegationDepth, delegatedBy: chain[0], chain });

/** What access is asked for. */
export interface Pair {
  target: string;
  path: string;
  action: string;
}

/**
 * Returns the queries, in the order in which they were asked.
 * @param pairs of a decision about access: all that were asked for, as far as known
 */
export function queriesOf({ principal, access, operation }: Facts, pairs: readonly Pair[]): PolicyQuery[] {
  const by = partyOf(principal);
  if (operation) return operationQueries(by, operation);
  if (!access) return [];
  const context = accessContext(access);
  const opened = access.openedFor === undefined ? [] : [openingQuery(by, access, access.openedFor)];
  const asked = pairs.map(({ target, path, action }): PolicyQuery => {
    return { principal: by, action, resource: { type: 'resource', target, path }, context };
  });
  return [...opened, ...asked];
}

function accessContext(facts: NonNullable<Facts['access']>): AccessContext {
  const { purpose, purposeFrom, lifetimeSeconds, onBehalfOf, openedBy, risk } = facts;
  const { approvals = [] } = facts;
  return defined({
    kind: 'access' as const,
    purpose,
    purposeFrom,
    lifetimeSeconds,
    ...delegationOf(facts),
    onBehalfOf,
    principalProven: facts.principalProven ?? false,
    openedBy,
    approvals,
    risk: risk ?? 'LOW',
  });
}

/** A workload that opens a task with its request opens it for itself. */
function openingQuery(by: Party, facts: NonNullable<Facts['access']>, lifetimeSeconds: number): PolicyQuery {
  const { purpose, openedBy, onBehalfOf, principalProven = false } = facts;
  const task = defined({ workload: named(by), purpose, openedBy });
  const opening = defined({ lifetimeSeconds, principalProven, onBehalfOf, ...delegationOf(facts) });
  return {
    principal: by,
    action: 'openTask',
    resource: { type: 'task', task },
    context: { kind: 'operate', opening },
  };
}

function operationQueries(by: Party, facts: NonNullable<Facts['operation']>): PolicyQuery[] {
  const { action, parent, revocation, run, opening, emergency } = facts;
  const context: OperateContext = defined({
    kind: 'operate' as const,
    revocation,
    run,
    emergency,
    opening:
      opening && defined({ ...opening, ...delegationOf(opening), principalProven: opening.principalProven ?? false }),
  });
  const about = (resource: PolicyResource): PolicyQuery => ({ principal: by, action, resource, context });
  return [...(parent ? [about({ type: 'task', task: defined(parent) })] : []), about(resourceOf(facts))];
}

function resourceOf({ target, task, approval }: NonNullable<Facts['operation']>): PolicyResource {
  if (target !== undefined) return { type: 'target', target };
  if (task) return { type: 'task', task: defined(task) };
  return approval === undefined ? { type: 'broker' } : { type: 'approval', approval: defined(approval) };
}

const taskFacts = ({ id, workload, purpose, openedBy }: TaskFacts): TaskFacts =>
  defined({ id, workload: named(workload), purpose, openedBy: openedBy && named(openedBy) });

const approvalFacts = ({ id, group, workload, onBehalfOf, target, access, purpose }: ApprovalFacts) =>
  defined({
    id,
    group,
    workload: named(workload),
    onBehalfOf: onBehalfOf && partyFacts(onBehalfOf),
    target,
    access: [...access],
    purpose,
  });

/** Returns what policy may know of somebody who is only named. */
const named = ({ kind, id, issuer, owner }: PartyRef): PartyRef => defined({ kind, id, issuer, owner });

function partyFacts(party: RememberedPerson): Facts['principal'] {
  const { claims = {}, unread = [], groups = [] } = party;
  return defined({
    ...named(party),
    claims: Object.keys(claims).length > 0 ? claims : undefined,
    unread: unread.length > 0 ? [...unread] : undefined,
    groups: groups.length > 0 ? [...groups] : undefined,
  });
}

const partyOf = ({ claims = {}, groups = [], ...rest }: Facts['principal']): Party => ({ ...rest, claims, groups });
