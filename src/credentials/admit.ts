/**
 * Admission: reads the records first, because they name the lineage, and then takes one atomic look at the log. The new
 * credential carries the epoch of that look, and its lifetime counts from the clock as it was before the look.
 */
import { held, refuseDeadCaller, refuseEndedRun } from '../authorization/caller.js';
import { chargeOf, wasEnded } from '../authorization/inspect.js';
import { proofsOf, refuseOtherActor, type Requester } from '../authorization/requester.js';
import { riskNow } from '../authorization/risk-now.js';
import type { Target } from '../config/schema.js';
import { isWithin, normalise, type Access } from '../domain/access.js';
import type { Credential } from '../domain/credential.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { credentialCauses, partyCauses, runCauses } from '../domain/hangs-on.js';
import { newId, shardOf } from '../domain/id.js';
import { formatEpoch, refusesBirth } from '../domain/liveness.js';
import type { Party } from '../domain/party.js';
import type { Cause } from '../domain/selector.js';
import { isLive } from '../domain/task-outcome.js';
import type { Task } from '../domain/task.js';
import { isDead, type Found } from '../ledger/credentials.js';
import type { FoundTask } from '../ledger/found-task.js';
import type { Seen } from '../ledger/revocation-log.js';
import type { JointRisk } from '../ledger/risk.js';
import { taskState, type TaskState } from '../ledger/task-state.js';
import { kindOf } from '../targets/kinds.js';
import { draftImplicitTask } from '../tasks/draft-task.js';
import type { Deps } from './deps.js';
import { findTask, refuseBeyondGrant, unknownTask, withProvenParties } from './find-task.js';
import type { CredentialRequest } from './request.js';

export interface Admission extends FoundTask {
  now: number;
  seen: Seen;
  task: Task;
  access: Access[];
  /** The credential that the new one is derived from. */
  from?: Credential;
  risk: JointRisk;
  /** That of the party that asks, and that of the person it asks for. */
  subject?: string;
  session?: string;
  /** What policy may know of the workload: it is asked again where the credential is used. */
  known: Pick<Credential, 'claims' | 'unread'>;
  credentialId: string;
}

/** Returns undefined when the task of the run ended in between: the next attempt does not find it any more. */
export async function admit(
  deps: Pick<Deps, 'ledger' | 'settings' | 'observer'>,
  requester: Requester,
  request: CredentialRequest,
  target: Target,
): Promise<Admission | undefined> {
  const { ledger, settings } = deps;
  const found = await findTask(ledger, requester, request);
  const { stored, run } = found;
  // A credential proves its workload under its own task only.
  if (requester.from && requester.from.task.id !== stored?.value.id) throw unknownTask();

  const now = ledger.clock.now();
  const draft = stored
    ? kept(withProvenParties(stored.value, requester), now)
    : draftImplicitTask(settings, now, requester, { ...openingOf(requester, request), ...placeOf(requester, found) });
  if (stored) refuseBeyondGrant(stored.value, request);
  const credentialId = newId('crd', shardOf(draft.id));
  const from = requester.from?.credential;
  const shown = requester.handed ?? requester.from;
  const by = provenBy(requester);
  const causes = causesOfBirth({ id: credentialId, ...by }, requester, target, draft);
  // A token of a party that is held or cut off may call nothing, neither as the caller nor as the person it acts for.
  const proofs = proofsOf(requester);
  // A retry finds the task that its first attempt opened. What was handed on may hang on more by now than that task inherited.
  const handed = requester.handed ? credentialCauses(requester.handed.credential, requester.handed.task) : [];
  const [seen, risk] = await Promise.all([
    ledger.log.look([...causes, ...handed, ...proofs.flatMap(({ party }) => partyCauses(party))]),
    riskNow(deps, { task: draft, credentials: shown ? [shown.credential.id] : [], by }),
  ]);

  // Detectors are informed before anything is refused: the refusal may name the ended task and hide the dead credential.
  if (shown && wasEnded(shown, seen, now)) deps.observer.deadUse(chargeOf(shown));
  for (const proof of proofs) refuseDeadCaller(deps, proof, seen);
  const task = stored ? draft : { ...draft, epoch: formatEpoch(seen.epoch) };
  const state = taskState(task, seen, now);
  if (stored && stored === run?.task && !isLive(state)) return undefined;
  if (requester.handed) refuseDeadSubject(requester.handed, seen);
  refuseOtherActor(deps, requester.caller.party, task.mayAct, requester.handed ? 'invalid_request' : 'invalid_grant');
  refuseOver(requester, state, seen);
  if (requester.from) refuseDeadParent(requester.from, seen);
  if (refusesBirth(seen.on(causes))) throw held();
  const access = requestedAccess(request, task, target);
  return defined({
    now,
    seen,
    task,
    access,
    risk,
    from,
    ...by,
    known: knownOf(requester.caller.party),
    ...found,
    credentialId,
  });
}

/** Whoever shows a credential shows no person, but stands for the login by which that credential was asked for. */
const provenBy = ({ caller, onBehalfOf, from }: Requester): Pick<Credential, 'subject' | 'session'> =>
  defined({ subject: caller.party.subject, session: onBehalfOf?.party.session ?? from?.credential.session });

/** Returns a shared task with its latest sign of life, which is written with the credential; not more often than once an interval. */
function kept(task: Task, now: number): Task {
  const { shared, heartbeat } = task;
  if (!shared || !heartbeat || now - heartbeat.lastAt < heartbeat.intervalSeconds * 1000) return task;
  return { ...task, heartbeat: { ...heartbeat, lastAt: now } };
}

/** Returns where a task is born that the next requests are to find. */
function placeOf({ handed }: Requester, { run, previous }: FoundTask) {
  if (handed) return { shard: shardOf(handed.task.id) };
  return run ? ({ shard: run.shard, shared: true } as const) : { shard: previous?.shard };
}

/** Returns what a request says of the task that it opens. One that names a task opens none. */
function openingOf(
  { handed }: Requester,
  { under, ceiling }: CredentialRequest,
): Pick<Task, 'purpose' | 'purposeFrom' | 'ceiling'> {
  if ('taskId' in under) return { purpose: '', purposeFrom: 'agent' };
  if (handed && under.isKept) return { purpose: under.purpose, purposeFrom: handed.task.purposeFrom };
  return defined({ purpose: under.purpose, purposeFrom: under.isDefault ? 'default' : 'agent', ceiling });
}

/** Returns what a credential will hang on that is issued to this requester, and the run that asks, whoever has opened the task. */
function causesOfBirth(
  names: Pick<Credential, 'id' | 'subject' | 'session'>,
  { from, caller }: Requester,
  { resource, minter }: Target,
  task: Task,
): Cause[] {
  const born = {
    ...names,
    target: resource,
    // The causes depend on whether there is one; the look that they are for decides its value.
    workloadSeq: kindOf(minter).enforced ? 0 : undefined,
    from: from && { credential: from.credential.id, target: from.credential.target },
  };
  return [...credentialCauses(defined(born), task), ...runCauses(caller.party)];
}

const knownOf = ({ claims, unread }: Party): Pick<Credential, 'claims' | 'unread'> =>
  defined({ claims: Object.keys(claims).length > 0 ? claims : undefined, unread });

/** Returns the requested access. A request that names no access means all that the task was opened for at this target. */
function requestedAccess({ access }: CredentialRequest, { ceiling, handedOn }: Task, target: Target): Access[] {
  const { resource } = target;
  if (access && ceiling && !isWithin(ceiling, resource, access)) {
    const bound = handedOn ? 'was handed on' : 'the task was opened for';
    throw new BrokerError('invalid_scope', `The request goes beyond what ${bound}.`, { retry: 'with-less' });
  }
  if (access) return access;
  if (ceiling) {
    const opened = ceiling.filter((entry) => entry.target === resource);
    if (opened.length > 0) return normalise(opened);
  }
  throw new BrokerError(
    'invalid_request',
    'The request names no access, and the task was opened for none at this target. Send authorization_details.',
  );
}

/** The credential that is presented as proof may be dead while its task lives. */
function refuseDeadParent(from: Found, seen: Seen): void {
  if (isDead(from, seen)) throw new BrokerError('invalid_token', 'The credential presented has been revoked.');
}

/** RFC 8693 §2.2.2 names the code. */
function refuseDeadSubject(handed: Found, seen: Seen): void {
  if (isDead(handed, seen))
    throw new BrokerError('invalid_request', 'The subject token is a credential that has been revoked.');
}

function refuseOver({ caller }: Requester, state: TaskState, seen: Seen): void {
  refuseEndedRun(caller, seen);
  if (state === 'suspended') throw held();
  if (state !== 'open') throw new BrokerError('invalid_grant', `The task has ended: ${state}.`);
}
