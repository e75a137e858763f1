/** Drafts the record of a task that is about to be opened. Its bounds are fixed here: a child has no more access or time than its parent. */
import type { Settings } from '../authorization/deps.js';
import type { Requester } from '../authorization/requester.js';
import { isWithin, pairsOf, type TargetAccess } from '../domain/access.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { credentialCauses, taskCauses } from '../domain/hangs-on.js';
import { newId, shardOf, type Shard } from '../domain/id.js';
import { HARD_LIMITS } from '../domain/limits.js';
import { addressesOf, refOf, runOf, type Party, type PartyRef } from '../domain/party.js';
import type { Cause } from '../domain/selector.js';
import { aboveUnder, chainUnder, type Task } from '../domain/task.js';
import { wholeSeconds } from '../domain/time.js';
import { withoutTokens } from '../domain/token-in-text.js';
import { partyFromId } from '../identity/party-from-id.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { Found } from '../ledger/credentials.js';
import type { IdempotencyKey, IdempotencyRecord } from '../ledger/idempotency.js';
import { provenPrincipal, principalOf } from './principal.js';

/** A request to open a task, in the broker's own terms. */
export interface OpenTaskRequest {
  /** A workload's id. Absent: the caller itself. */
  workload?: string;
  /** A person's id. Absent: the task serves the person its parent serves, or the workload itself. */
  principal?: string;
  purpose: string;
  /** The ceiling: the most that can be granted under the task. */
  access?: TargetAccess[];
  deadlineSeconds?: number;
  parent?: string;
  /** The id of a task that it goes on with. */
  continues?: string;
  heartbeat?: { intervalSeconds: number; missesAllowed: number };
  idempotencyKey?: IdempotencyKey;
  requestId: string;
}

/** Returns the record of a task that an exchange opens. Without a ceiling policy alone bounds what is granted under it. */
export function draftImplicitTask(
  settings: Settings,
  now: number,
  { caller, onBehalfOf, handed }: Requester,
  { purpose, purposeFrom, ceiling, shard, shared }: Implicit,
): Task {
  return {
    ...newborn(now, newId('tsk', shard)),
    workload: refOf(caller.party),
    ...(onBehalfOf && defined({ ...provenPrincipal(onBehalfOf.party), mayAct: onBehalfOf.mayAct })),
    purpose: statedPurpose(settings, purpose),
    purposeFrom,
    ...(ceiling && { ceiling }),
    ...openedIn(caller),
    ...(shared && { shared, heartbeat: idleAfter(settings, now) }),
    deadline: deadlineOf(settings, now, undefined),
    ...(handed && handedOnTo(settings, now, refOf(caller.party), handed)),
  };
}

/**
 * Returns what a task has of the credential by which it was handed on: that one's task is its parent, that one's access its ceiling,
 * and it ends no later. Whatever ends the credential ends the task, because it inherits all causes.
 */
function handedOnTo(settings: Settings, now: number, workload: PartyRef, found: Found) {
  const { credential } = found;
  const { target, access, expiresAt } = credential;
  const parent = asIssued(found);
  const principal = parent.principal ?? parent.workload;
  return {
    ...under(settings, workload, parent, credentialCauses(credential, found.task)),
    ...(parent.openerAddresses && { openerAddresses: parent.openerAddresses }),
    // A workload that narrows what it does for itself goes on serving itself.
    ...(principal.id !== workload.id && defined({ principal, principalProven: parent.principalProven })),
    handedOn: [credential.id, ...(parent.handedOn ?? [])],
    ceiling: access.map((one) => ({ target, ...one })),
    deadline: Math.min(deadlineOf(settings, now, undefined, parent), wholeSeconds(expiresAt)),
  };
}

/**
 * Returns the task of a credential with its parties as they were proven for the credential: by another run of the workload, or by
 * another login of the person, than those that opened the task. The risk of these counts for what is handed on, too.
 */
function asIssued({ credential: { subject, session }, task }: Found): Task {
  const { workload, principal } = task;
  return {
    ...task,
    workload: { ...workload, ...(subject !== undefined && { subject }) },
    ...(principal && { principal: { ...principal, ...(session !== undefined && { session }) } }),
  };
}

interface Implicit extends Pick<Task, 'purpose' | 'purposeFrom' | 'ceiling'> {
  shard?: Shard | undefined;
  /** The next requests of the same run, or of the same workload, are led to it. */
  shared?: true | undefined;
}

interface Opening {
  caller: AuthenticatedCaller;
  request: OpenTaskRequest;
  parent: Task | undefined;
  previous: IdempotencyRecord | undefined;
}

/** Returns the record of a task that an orchestrator opens, or the workload itself ahead of its work. */
export function draftTask(settings: Settings, now: number, { caller, request, parent, previous }: Opening): Task {
  const workload = workloadOf(settings.trust, caller.party, request.workload);
  const opensItself = workload.id === caller.party.id;
  const ceiling = narrowed(parent?.ceiling, request.access);
  return {
    ...newborn(now, newId('tsk', parent ? shardOf(parent.id) : previous?.shard)),
    workload,
    ...principalOf(settings.trust, caller.party, request.principal, parent),
    ...(!opensItself && { openedBy: refOf(caller.party) }),
    ...openersOf(caller.party, parent),
    purpose: statedPurpose(settings, request.purpose),
    // A purpose that the agent itself states counts as the agent's, even if it is stated before the work.
    purposeFrom: opensItself ? 'agent' : 'opener',
    ...openedIn(caller),
    ...(ceiling && { ceiling }),
    deadline: deadlineOf(settings, now, request.deadlineSeconds, parent),
    ...(request.continues !== undefined && { continues: request.continues }),
    ...(request.heartbeat && { heartbeat: { ...request.heartbeat, lastAt: now } }),
    ...(parent && {
      ...under(settings, workload, parent, taskCauses(parent)),
      ...(parent.handedOn && { handedOn: parent.handedOn }),
    }),
    // Whoever has the token of a person can open a task with it, and must not choose another to act for them by that.
    ...(caller.mayAct && request.principal === caller.party.id && { mayAct: caller.mayAct }),
  };
}

/** Returns what a task of this workload has of its place under another. */
const under = (settings: Settings, workload: PartyRef, parent: Task, inherits: Cause[]) => ({
  lineage: lineageUnder(parent, settings.limits),
  above: aboveUnder(parent),
  ...chainUnder(parent, workload),
  ...(parent.mayAct && { mayAct: parent.mayAct }),
  inherits,
});

/** Returns the addresses of a person who opens a task under this parent, and of those who opened the ones above. */
function openersOf(opener: Party, parent: Task | undefined): Pick<Task, 'openerAddresses'> {
  const openerAddresses = [...new Set([...addressesOf(opener), ...(parent?.openerAddresses ?? [])])];
  return openerAddresses.length > 0 ? { openerAddresses } : {};
}

/** In so many shares of `lifetimes.taskIdle` a shared task is kept alive once: so most requests under it move nothing in an index. */
const IDLE_SHARES = 8;

/** With one share more than the whole, the task lasts at least as long as is configured after the latest request. */
const idleAfter = ({ lifetimes }: Settings, now: number): NonNullable<Task['heartbeat']> => ({
  intervalSeconds: Math.ceil(lifetimes.taskIdle / IDLE_SHARES),
  missesAllowed: IDLE_SHARES + 1,
  lastAt: now,
});

const openedIn = ({ party }: AuthenticatedCaller): Pick<Task, 'run'> => defined({ run: runOf(party) });

function workloadOf(trust: Settings['trust'], caller: Party, named: string | undefined): PartyRef {
  if (caller.kind === 'workload' && (named === undefined || named === caller.id)) return refOf(caller);
  if (named !== undefined) return partyFromId(trust, 'workload', named);
  throw new BrokerError('invalid_request', 'Name the workload that the task is for: a person gets no credential.');
}

/** The epoch is filled in after the look at the log. */
const newborn = (now: number, id: string) => ({
  id,
  lineage: [],
  openedAt: now,
  epoch: '',
  credentials: [],
  suspensions: 0,
  suspended: false,
  revision: 0,
});

/** The deadline is in whole seconds, so that no credential outlives it by a fraction. */
function deadlineOf({ lifetimes }: Settings, now: number, seconds: number | undefined, parent?: Task): number {
  const requested = now + Math.min(seconds ?? lifetimes.task, lifetimes.taskMax) * 1000;
  return wholeSeconds(Math.min(requested, parent?.deadline ?? Infinity));
}

/** Returns the purpose as it is kept and shown: without what somebody pasted into it. */
function statedPurpose({ purposes }: Settings, purpose: string): string {
  if (!purposes || Object.hasOwn(purposes, purpose)) return withoutTokens(purpose);
  throw new BrokerError('invalid_request', `The purpose must be one of: ${Object.keys(purposes).join(', ')}.`);
}

function lineageUnder(parent: Task, { delegationDepth }: Settings['limits']): string[] {
  const lineage = [...parent.lineage, parent.id];
  if (lineage.length > delegationDepth) {
    throw new BrokerError('invalid_request', `Tasks nest at most ${delegationDepth} deep.`);
  }
  return lineage;
}

function narrowed(
  ceiling: TargetAccess[] | undefined,
  requested: TargetAccess[] | undefined,
): TargetAccess[] | undefined {
  if (!requested) return ceiling;
  if (pairsOf(requested).length > HARD_LIMITS.pairsPerRequest) {
    throw new BrokerError(
      'invalid_request',
      `At most ${HARD_LIMITS.pairsPerRequest} pairs of path and action fit one task.`,
      { retry: 'with-less' },
    );
  }
  if (ceiling && !requested.every((entry) => isWithin(ceiling, entry.target, [entry]))) {
    throw new BrokerError('invalid_scope', 'The access goes beyond what the parent task was opened for.', {
      retry: 'with-less',
    });
  }
  return requested;
}
