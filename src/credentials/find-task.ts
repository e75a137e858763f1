/** Finds the task of a request: the one that it names, that its first attempt opened, or that its run works under. */
import type { Requester } from '../authorization/requester.js';
import { isWithin } from '../domain/access.js';
import { defined } from '../domain/defined.js';
import { sha256 } from '../domain/digest.js';
import { BrokerError } from '../domain/errors.js';
import { changeParties } from '../domain/hangs-on.js';
import { isId, shardOf } from '../domain/id.js';
import { refOf } from '../domain/party.js';
import type { Task } from '../domain/task.js';
import type { FoundTask } from '../ledger/found-task.js';
import { findPrevious, type IdempotencyKey } from '../ledger/idempotency.js';
import type { Ledger } from '../ledger/ledger.js';
import { findRun, type Run } from '../ledger/runs.js';
import { readTask } from '../ledger/tasks.js';
import { provenPrincipal } from '../tasks/principal.js';
import type { CredentialRequest } from './request.js';

export async function findTask(
  ledger: Ledger,
  requester: Requester,
  request: Pick<CredentialRequest, 'under' | 'ceiling' | 'idempotencyKey'>,
): Promise<FoundTask> {
  const { under, idempotencyKey } = request;
  const shared = sharedBy(requester, request);
  // Whether it is over is asked of the task as it would be worked under: a team that was cut off since may be new to it.
  const run = shared && (await findRun(ledger, shared, (task) => withProvenParties(task, requester)));
  const within = requester.handed ? shardOf(requester.handed.task.id) : run?.shard;
  const previous = await findPrevious(ledger, requester.caller.party, keyFor(requester, idempotencyKey), within);
  const named = 'taskId' in under ? under.taskId : previous?.taskId;
  const stored = named === undefined ? run?.task : await readTask(ledger, named);
  if (named !== undefined && !stored) throw unknownTask();
  return defined({ stored, previous, run });
}

/**
 * Whoever makes the tokens of a workload may have opened the task for it, and put its id where others put a run. What is handed on
 * opens a task of its own, under the one that it comes from.
 */
export function underTaskOf(
  { caller: { party }, handed }: Requester,
  under: CredentialRequest['under'],
): CredentialRequest['under'] {
  if (handed && 'taskId' in under) {
    throw new BrokerError(
      'invalid_request',
      'A credential as subject_token opens a task below its own: leave out task_id. More under the new task is asked for without that subject_token.',
    );
  }
  return !handed && party.run !== undefined && isId('tsk', party.run) && 'purpose' in under
    ? { taskId: party.run }
    : under;
}

/**
 * Returns what requests have in common that share a task; undefined for a request that names its task, or has one to itself. What is
 * handed on has a task to itself, because it ends with the credential that it comes from. Whoever holds only a credential says no
 * run: a credential is for its own task. A client that leaves the purpose to the target knows nothing of tasks, and asks again
 * whenever its credential is over: all that it asks for belongs to one task, as if it were one run. No run has an empty name.
 */
export function sharedBy(
  { caller: { party }, onBehalfOf, handed }: Requester,
  { under, ceiling }: Pick<CredentialRequest, 'under' | 'ceiling'>,
): Run | undefined {
  if ('taskId' in under || handed) return undefined;
  const { id: workload, run = under.isDefault && '' } = party;
  const { purpose } = under;
  return run === undefined ? undefined : { workload, run, principal: onBehalfOf?.party.id, purpose, ceiling };
}

/** The same words for another person, for another credential that was handed on, or for nobody, are another request. */
const keyFor = ({ onBehalfOf, handed }: Requester, sent: IdempotencyKey | undefined): IdempotencyKey | undefined =>
  sent && { ...sent, body: sha256(`${sent.body}\n${onBehalfOf?.party.id ?? handed?.credential.id ?? ''}`) };

export const unknownTask = () => new BrokerError('invalid_grant', 'No open task of this workload has that id.');

/**
 * Returns the task with its parties as they are proven now: an orchestrator that opened the task could not know the workload's
 * owner. The subject stays that of the opener, and the session that by which the person was first proven: a task must not hang on
 * every run and every login that ever worked on it.
 */
export function withProvenParties(task: Task, { caller, onBehalfOf }: Requester): Task {
  if (task.workload.id !== caller.party.id || task.workload.issuer !== caller.party.issuer) throw unknownTask();
  if (onBehalfOf && task.principal?.id !== onBehalfOf.party.id) throw unknownTask();
  const { mayAct = task.mayAct } = onBehalfOf ?? {};
  return changeParties(defined({ ...task, mayAct }), {
    workload: defined({ ...refOf(caller.party), subject: task.workload.subject }),
    ...(onBehalfOf && provenPrincipal(onBehalfOf.party, task)),
  });
}

/**
 * A grant with bounds proves its person for no task that may have more: the record would say that they are proven, and the workload
 * could then ask for the rest by its own proof alone.
 */
export function refuseBeyondGrant(
  { ceiling, principalProven }: Task,
  { ceiling: granted }: Pick<CredentialRequest, 'ceiling'>,
): void {
  if (!granted || principalProven || ceiling?.every((one) => isWithin(granted, one.target, [one]))) return;
  throw new BrokerError(
    'invalid_grant',
    'The assertion grants less than the task may have, and nobody has proven the person of the task yet: ask without task_id.',
  );
}
