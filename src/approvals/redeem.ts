/**
 * What becomes of a request that needs the yes of people: it is asked once, it waits, it is granted by the approval, or it is refused.
 * When it is granted, everything is looked at again: policy, as of now and with the terms of the approval; those who agreed, in the
 * revocation log; and whoever asks, by admission.
 */
import { decideAccess, denied, type Decision } from '../authorization/decide.js';
import { isWithin, type Access } from '../domain/access.js';
import { approvalStateAt, coversNeeds, isReusable, termsOf, type Approval } from '../domain/approval.js';
import type { Credential } from '../domain/credential.js';
import { digestUnder } from '../domain/asked.js';
import { partyCauses } from '../domain/hangs-on.js';
import { shardOf } from '../domain/id.js';
import { refusesProof } from '../domain/liveness.js';
import { isLive } from '../domain/task-outcome.js';
import type { Task } from '../domain/task.js';
import {
  approvalStep,
  changeApproval,
  findAsked,
  findOpening,
  readVersionedApprovals,
  unchanged,
} from '../ledger/approvals.js';
import type { Ledger, Versioned } from '../ledger/ledger.js';
import { readTaskState } from '../ledger/task-state.js';
import type { Change } from '../store/store.js';
import { park } from './park.js';
import { refusedByPerson } from './refusals.js';
import type { ApprovalDeps, Parked, ApprovalRequest } from './approval-request.js';
import { openingDigest } from './request-digest.js';

/** By what a request may be granted that needed an approval. */
export interface Redeemed {
  decision: Decision;
  /** What was approved: it may be less than what was asked for. */
  access: Access[];
  approval: { id: string; groups: string[] };
  /** Returns what is written together with the credential. Of two that are granted by one yes at once, one is. */
  redemptionChange: (credential: string) => Change;
  /** Returns the task as it is written with the credential. */
  remember: (task: Task) => Task;
}

/** The same was asked before, and waits under this task. */
interface Elsewhere {
  taskId: string;
}

/**
 * Returns by what the request may be granted, or what waits for people; or the task under which the same was asked before. Undefined:
 * the records have changed meanwhile. Throws where the answer was no.
 */
export async function redeem(
  deps: ApprovalDeps,
  request: ApprovalRequest,
): Promise<Redeemed | Parked | Elsewhere | undefined> {
  const { ledger } = deps;
  const { task, asked, stored, run, previous } = request;
  if (!stored) {
    // Its run, or its Idempotency-Key, leads the next request to the task that is opened now.
    if (run || previous) return park(deps, request, {});
    return elsewhere(deps, request);
  }
  const { sought, stored: found } = await findAsked(ledger, shardOf(task.id), digestUnder(task, asked));
  const redeemed = (found && (await byAnswer(deps, request, found))) ?? (await byEarlier(deps, request));
  return redeemed ?? park(deps, request, { asked: sought, former: found });
}

/** A request that nothing else leads to its task is led there by its digest. */
async function elsewhere(deps: ApprovalDeps, request: ApprovalRequest): Promise<Elsewhere | Parked | undefined> {
  const { handed } = request.requester;
  const { digest, shard: own } = openingDigest(request);
  const shard = handed ? shardOf(handed.task.id) : own;
  const { sought, task: opened } = await findOpening(deps.ledger, shard, digest);
  if (opened && isLive(await readTaskState(deps.ledger, opened))) return { taskId: opened.id };
  return park(deps, request, { opening: { ...sought, shard } });
}

/** Returns undefined where people must be asked anew. */
async function byAnswer(
  deps: ApprovalDeps,
  request: ApprovalRequest,
  found: Versioned<Approval>,
): Promise<Redeemed | Parked | undefined> {
  const { needed, question } = request;
  const { value: approval } = found;
  // Policy wants the yes of others by now.
  if (!coversNeeds(approval.needs, needed.needs ?? [])) return undefined;
  switch (approvalStateAt(approval, question.now)) {
    case 'pending':
      return { waiting: approval, decision: needed };
    case 'denied':
      throw refusedByPerson(approval, needed);
    case 'approved':
      // It was used, and stood for the rest of the task by what policy said when it was asked.
      if (approval.used && !isStanding(needed)) return undefined;
      return granted(deps, request, { found, access: termsOf(approval).access });
    default:
      return undefined;
  }
}

/** Returns whether policy says now that a yes stands for the rest of the task. */
const isStanding = ({ needs = [] }: Decision): boolean => needs.every(({ reuse }) => reuse);

/** Returns the same by a yes that stands for the rest of the task, if policy says now that such a yes is enough. */
async function byEarlier(deps: ApprovalDeps, request: ApprovalRequest): Promise<Redeemed | undefined> {
  const { task, needed, question } = request;
  const { needs = [] } = needed;
  if (!task.approvals || !isStanding(needed)) return undefined;
  const { target, access, now } = question;
  for (const found of await readVersionedApprovals(deps.ledger, task.approvals)) {
    const { value: approval } = found;
    const stands = isReusable(approval) && approvalStateAt(approval, now) === 'approved';
    const most = termsOf(approval).access.map((one) => ({ target: approval.asked.target, ...one }));
    if (!stands || !coversNeeds(approval.needs, needs) || !isWithin(most, target, access)) continue;
    const redeemed = await granted(deps, request, { found, access });
    if (redeemed) return redeemed;
  }
  return undefined;
}

/** Returns undefined where one of those who agreed may not agree to anything any more. Policy is asked with the terms as approved. */
async function granted(
  deps: ApprovalDeps,
  { question }: ApprovalRequest,
  { found, access }: { found: Versioned<Approval>; access: readonly Access[] },
): Promise<Redeemed | undefined> {
  const { value: approval } = found;
  if (await isAnyoneCutOff(deps, approval)) return undefined;
  const lifetimeSeconds = Math.min(question.lifetimeSeconds, termsOf(approval).lifetimeSeconds);
  const groups = approval.needs.map(({ group }) => group);
  const decision = await decideAccess(deps, { ...question, access, lifetimeSeconds, approvals: groups });
  if (decision.outcome !== 'permit') throw denied(decision);
  const { id, used } = approval;
  return {
    decision,
    access: [...access],
    approval: { id, groups },
    // A yes that stands for the rest of the task is used up by nobody. It may be taken back all the same.
    redemptionChange: (credential) =>
      used ? unchanged(found) : approvalStep(found, { ...approval, used: { at: question.now, credential } }),
    remember: (task) => (isReusable(approval) ? remembering(task, id) : task),
  };
}

/** Takes a redemption back: nobody has got what the approval was given for, so it can be used again. */
export async function unredeem(ledger: Ledger, { id, approval }: Pick<Credential, 'id' | 'approval'>): Promise<void> {
  if (!approval) return;
  await changeApproval(ledger, approval.id, ({ used, ...rest }) => (used?.credential === id ? rest : undefined));
}

/** A yes counts only while the person who said it, and the login by which they said it, are neither held nor cut off. */
async function isAnyoneCutOff({ ledger, settings }: ApprovalDeps, { answers }: Approval): Promise<boolean> {
  const agreed = answers.filter(({ says }) => says !== 'deny');
  const seen = await ledger.log.look(agreed.flatMap(({ by }) => partyCauses(by)));
  const skewMs = settings.lifetimes.clockSkew * 1000;
  return agreed.some(({ by, issuedAt }) => refusesProof(seen.on(partyCauses(by)), issuedAt, skewMs) !== undefined);
}

/** A task remembers so many approvals whose yes stands: each is for other access. */
const REMEMBERED_MOST = 8;

const remembering = (task: Task, id: string): Task => ({
  ...task,
  approvals: [id, ...(task.approvals ?? []).filter((one) => one !== id)].slice(0, REMEMBERED_MOST),
});
