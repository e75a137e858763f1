/** The endpoints of a task: open, read, complete, suspend, resume, heartbeat. */
import { defined } from '../domain/defined.js';
import type { Task } from '../domain/task.js';
import { toTimestamp } from '../domain/time.js';
import type { LogEntry } from '../domain/tombstone.js';
import { countsOf } from './wire/answers.js';
import { json } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { idempotencyKeyOf } from './wire/fields.js';
import { noteTask } from './wire/noted.js';
import { nothing, operation, taskOperation } from './wire/operation.js';
import { permitOnRun } from '../authorization/permit-on-broker.js';
import type { TaskState } from '../ledger/task-state.js';
import { detailsOf } from '../targets/requested-access.js';
import { completeRun } from '../tasks/complete-run.js';
import { completeTask } from '../tasks/complete-task.js';
import type { Ending } from '../tasks/ending.js';
import { heartbeat } from '../tasks/heartbeat.js';
import { openTask } from '../tasks/open-task.js';
import { resumeTask, suspendTask } from '../tasks/suspend-task.js';
import type { HttpDeps } from './deps.js';
import {
  aliveAnswer,
  changedAnswer,
  completedAnswer,
  completedRunAnswer,
  completionInput,
  openingInput,
  runCompletionInput,
  suspensionInput,
  taskAnswer,
} from './task-contract.js';

const path = { id: 'The id of the task.' };

/** POST /tasks opens a task. An orchestrator calls it for a workload, or the workload for itself. */
export const taskOpening = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'openTask',
    summary: 'Opens a task: an orchestrator for a workload, or the workload for itself.',
    takesIdempotencyKey: true,
    answers: { 201: json(taskAnswer) },
    refusals: [
      'invalid_authorization_details',
      'invalid_grant',
      'invalid_scope',
      'invalid_target',
      'not_found',
      'conflict',
      'quota_exceeded',
    ],
    from: 'body',
    input: openingInput,
    // What a parent task or the person served stands in the way of, others decided.
    charged: ({ parent, principal }) => (parent === undefined && principal === undefined ? 'caller' : 'nobody'),
    // Policy is asked about the drafted task, by the use case.
    permit: (caller) => Promise.resolve(caller),
    about: ({ purpose }) => ({ purpose }),
    async act(caller, input, call) {
      const idempotencyKey = idempotencyKeyOf(call, input);
      const request = defined({ ...input, idempotencyKey, requestId: call.requestId });
      const answer = await openTask(deps, caller, request);
      noteTask(call, answer.task.id);
      const headers = { Location: `${deps.issuer}/tasks/${answer.task.id}` };
      return { status: 201, headers, body: taskOnWire(answer) };
    },
  });

/** GET /tasks/{id} returns the task and its state as of now. */
export const taskReading = (deps: HttpDeps) =>
  taskOperation(deps, {
    verb: 'readTask',
    summary: 'Shows a task, with its state as of now.',
    path,
    answers: { 200: json(taskAnswer) },
    refusals: ['not_found'],
    from: 'query',
    input: nothing,
    act: ({ subject }) => Promise.resolve(ok(taskOnWire(subject))),
  });

/** POST /tasks/{id}/complete ends a task whose work is done, and so every credential of the task. */
export const taskCompletion = (deps: HttpDeps) =>
  taskOperation(deps, {
    verb: 'completeTask',
    summary: 'Ends a task whose work is done, and with it every credential under it.',
    path,
    answers: { 200: json(completedAnswer) },
    refusals: ['not_found', 'conflict'],
    from: 'body',
    input: completionInput,
    async act(permitted, input) {
      const completed = await completeTask(deps.ledger, permitted, input);
      return ok({ task: taskOnWire(completed), revocation: endingOnWire(completed.revocation) });
    },
  });

/** POST /runs/complete ends all tasks that a run opened, for whoever never saw them. */
export const runCompletion = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'completeRun',
    summary: 'Ends all tasks that a run has opened, with what is under them. It opens and gets nothing more.',
    answers: { 200: json(completedRunAnswer) },
    from: 'body',
    input: runCompletionInput,
    charged: () => 'caller',
    permit: (caller, { issuer, run }) => permitOnRun(deps, caller, { issuer, run }),
    async act(permitted, input) {
      const { run, state, revocation } = await completeRun(deps, permitted, input);
      return ok({ run, state, revocation: endingOnWire(revocation) });
    },
  });

/** POST /tasks/{id}/suspend kills every credential of the task for good. None is minted until the task is resumed. */
export const taskSuspension = (deps: HttpDeps) =>
  taskOperation(deps, {
    verb: 'suspendTask',
    summary: 'Kills every credential of a task for good. None is born under it until it is resumed.',
    path,
    answers: { 200: json(changedAnswer) },
    refusals: ['not_found', 'conflict'],
    from: 'body',
    input: suspensionInput,
    async act(permitted, input) {
      const suspended = await suspendTask(deps.ledger, permitted, input);
      return ok({ task: taskOnWire(suspended), revocation: entryOnWire(suspended.entry) });
    },
  });

/** POST /tasks/{id}/resume lifts the hold that the suspension placed, and no other. */
export const taskResumption = (deps: HttpDeps) =>
  taskOperation(deps, {
    verb: 'resumeTask',
    summary: 'Lifts the hold that the suspension placed, and no other.',
    path,
    answers: { 200: json(changedAnswer) },
    refusals: ['not_found', 'conflict'],
    from: 'body',
    input: nothing,
    async act(permitted) {
      const resumed = await resumeTask(deps.ledger, permitted);
      return ok({ task: taskOnWire(resumed), revocation: entryOnWire(resumed.entry) });
    },
  });

/**
 * POST /tasks/{id}/heartbeat takes the report of an agent that it is alive. The answer says whether the agent should go on.
 */
export const taskHeartbeat = (deps: HttpDeps) =>
  taskOperation(deps, {
    verb: 'heartbeat',
    summary:
      'Reports that the agent is alive. The answer says whether it should go on: only while the state is `open`.',
    path,
    answers: { 200: json(aliveAnswer) },
    refusals: ['not_found', 'conflict'],
    from: 'body',
    input: nothing,
    async act(permitted) {
      const { task, state } = await heartbeat(deps.ledger, permitted);
      return ok({ state, deadline: toTimestamp(task.deadline) });
    },
  });

/** @param state The effective state: an ended ancestor, a hold or the deadline may count before the record says so. */
export function taskOnWire({ task, state }: { task: Task; state: TaskState }) {
  const { heartbeat, ended } = task;
  return defined({
    id: task.id,
    state,
    workload: task.workload.id,
    principal: task.principal?.id,
    openedBy: task.openedBy?.id,
    run: task.run,
    shared: task.shared,
    purpose: task.purpose,
    access: task.ceiling && task.ceiling.flatMap(({ target, ...access }) => detailsOf(target, [access])),
    openedAt: toTimestamp(task.openedAt),
    deadline: toTimestamp(task.deadline),
    lineage: task.lineage,
    continues: task.continues,
    heartbeat: heartbeat && {
      intervalSeconds: heartbeat.intervalSeconds,
      missesAllowed: heartbeat.missesAllowed,
      lastAt: toTimestamp(heartbeat.lastAt),
    },
    ...(ended && defined({ endedAt: toTimestamp(ended.at), reason: ended.reason })),
  });
}

/** Returns what ended a task or a run, and how much with it; null when it had ended before. */
function endingOnWire(ending: Ending | undefined) {
  if (!ending) return null;
  const { entry, affected, effects } = ending;
  return { ...entryOnWire(entry), affected: affected ? countsOf(affected) : null, effects };
}

/** Returns the log entry that ended, suspended or resumed a task; null when nothing had to be published. */
const entryOnWire = (entry: LogEntry | undefined) =>
  entry
    ? {
        seq: entry.seq,
        at: toTimestamp(entry.at),
        selector: entry.selector,
        effect: entry.effect,
        reason: entry.reason,
      }
    : null;
