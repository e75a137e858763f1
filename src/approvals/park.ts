/**
 * Asks people: one record, bound to exactly what was asked, in one commit with the task that it hangs on. A task that the request would
 * have opened is opened now, without a credential: what waits, waits under a task, and ends with it.
 */
import { denied } from '../authorization/decide.js';
import { approvalStateAt, isUnsettled, type Approval, type NeededApproval } from '../domain/approval.js';
import { digestUnder } from '../domain/asked.js';
import { normalise } from '../domain/access.js';
import { defined } from '../domain/defined.js';
import { newId, shardOf, type Shard } from '../domain/id.js';
import { refOf } from '../domain/party.js';
import { aboveOf, type Task } from '../domain/task.js';
import { secondsToWait } from '../domain/time.js';
import { approvalStep, askingChange, openingChange, type Sought } from '../ledger/approvals.js';
import { requesterOf, takePlace, freePlace } from '../ledger/approval-quota.js';
import { besideOf, claimed } from '../ledger/found-task.js';
import type { Versioned } from '../ledger/ledger.js';
import { birth, step } from '../ledger/tasks.js';
import { unannouncedChange } from '../ledger/unannounced.js';
import { growthOf, mergeChanges } from '../store/record.js';
import type { Change } from '../store/store.js';
import { auditCancelled } from './cancel.js';
import { asksNobody, tooManyApprovals } from './refusals.js';
import { announce } from './announce.js';
import type { ApprovalDeps, Parked, ApprovalRequest } from './approval-request.js';
import { requestDigest } from './request-digest.js';

/** What the same request has led to before. */
interface Before {
  /** The approval that was asked for under the task, where the task is not new. */
  asked?: Sought;
  former?: Versioned<Approval> | undefined;
  /** The task that was opened for them, and the shard of the next, where nothing else leads to one. */
  opening?: Sought & { shard: Shard };
}

/**
 * Returns what waits then; undefined if the records have changed meanwhile. A credential alone asks nobody: whoever has stolen one would
 * ask people in the name of its workload, and use up the places of that.
 */
export async function park(deps: ApprovalDeps, request: ApprovalRequest, before: Before): Promise<Parked | undefined> {
  const { ledger, settings } = deps;
  const { needed, requester } = request;
  const { needs = [] } = needed;
  if (needs.length === 0) throw denied(needed);
  if (requester.from) throw asksNobody(needed);
  const approval = drafted(deps, request, { needs, shard: before.opening?.shard });
  const task = { ...taskOf(request, approval.task), asksUntil: approval.lapsesAt };

  const { waitSeconds, pendingPerWorkload: most } = settings.approvals;
  const holder = requesterOf(task);
  // A task that ends sooner does not free the place sooner: short tasks would be a way to ask more often.
  const { id, askedAt: at } = approval;
  const place = { id, words: requestDigest(request), at, until: at + waitSeconds * 1000 };
  const taken = await takePlace(ledger, holder, { place, most, known: before.former?.value.id });
  if (taken.now === 'asked') return undefined;
  if (taken.now === 'full') throw tooManyApprovals(most, secondsToWait(taken.until - at));
  let isAsked = false;
  try {
    isAsked = await ask(deps, request, { before, approval, task });
  } finally {
    if (!isAsked) await freePlace(ledger, holder, id).catch(() => undefined);
  }
  return isAsked ? { waiting: approval, decision: needed } : undefined;
}

/** Returns whether people were asked: false if the records have changed meanwhile. */
async function ask(
  deps: ApprovalDeps,
  request: ApprovalRequest,
  { before, approval, task }: { before: Before; approval: Approval; task: Task },
): Promise<boolean> {
  const { ledger } = deps;
  const { stored, requester, requestId } = request;
  const { caller } = requester;
  const { opening, asked, former } = before;
  const change = mergeChanges(
    stored ? step(stored, task) : birth(task),
    besideOf(request, task),
    opening ? openingChange(opening, task) : {},
    askingChange(approval, asked),
    unannouncedChange(approval),
    former ? superseding(former, approval.askedAt) : {},
  );
  await deps.assertWithinQuota(caller.party, { bytes: growthOf(change), task, opens: !stored });
  const written = (await claimed(ledger, request, task)) && (await ledger.records.commit(change));
  if (!written) return false;
  if (former && isOpen(former, approval.askedAt)) await auditCancelled(deps, former.value, { caller, requestId });
  await announce(deps, request, { approval, task });
  return true;
}

/** A new task is born where the next of the same requests looks for it: nobody has learnt its id yet. */
function drafted(
  { settings }: ApprovalDeps,
  request: ApprovalRequest,
  { needs, shard }: { needs: NeededApproval[]; shard: Shard | undefined },
): Approval {
  const { task: draft, asked, question, needed, stored } = request;
  const { now: askedAt } = question;
  const task = stored || shard === undefined ? draft : { ...draft, id: newId('tsk', shard) };
  const { workload, principal, openedBy, openerAddresses, chain, purpose, purposeFrom, deadline } = task;
  const above = aboveOf(task);
  return defined({
    id: newId('apr', shardOf(task.id)),
    task: task.id,
    workload: refOf(workload),
    principal,
    openedBy,
    above: above.length > 0 ? above : undefined,
    openerAddresses,
    chain,
    purpose,
    purposeFrom,
    asked: defined({
      target: asked.target,
      access: normalise(asked.access),
      lifetimeSeconds: needed.lifetimeSeconds,
      lifetimeWanted: asked.lifetimeSeconds,
      tokenType: asked.tokenType,
      askedAsScope: asked.askedAsScope,
    }),
    digest: digestUnder(task, asked),
    needs,
    policies: needed.wantedBy ?? needed.policies,
    policyDigest: needed.digest,
    askedAt,
    lapsesAt: Math.min(deadline, askedAt + settings.approvals.waitSeconds * 1000),
    answers: [],
    deferralCodes: [],
    revision: 0,
  });
}

const taskOf = ({ task, stored }: ApprovalRequest, id: string): Task => (stored ? task : { ...task, id });

/** What policy wants now, the earlier approval does not ask; or somebody who agreed to it was cut off. Nobody can answer it any more. */
const superseding = (stored: Versioned<Approval>, at: number): Change =>
  isOpen(stored, at) ? approvalStep(stored, { ...stored.value, cancelledAt: at }) : {};

const isOpen = ({ value }: Versioned<Approval>, at: number): boolean => isUnsettled(approvalStateAt(value, at));
