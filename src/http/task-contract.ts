/** What the endpoints of a task take and answer. */
import { z } from 'zod';
import { CLAIM_CHARACTERS_MAX } from '../domain/name.js';
import { nameSchema, natural } from '../domain/schemas.js';
import { EFFECTS } from '../domain/selector.js';
import { DECLARED_OUTCOMES, OUTCOMES } from '../domain/task-outcome.js';
import { TASK_STATES } from '../ledger/task-state.js';
import { affectedAnswer, effectsAnswer, selectorAnswer } from './wire/answers.js';
import { time } from './wire/contract.js';
import { printable } from './wire/fields.js';
import { accessFromObjects, detailSchema } from '../targets/requested-access.js';

const seconds = z.int().min(1).max(999_999_999);

export const openingInput = z.strictObject({
  workload: nameSchema()
    .exactOptional()
    .describe('The id of the workload that will work on it. Default: the caller, if it is one.'),
  principal: nameSchema().exactOptional().describe('The id of the person whom it serves.'),
  purpose: printable(256).describe('What it is for, in words: policy and the audit log read it.'),
  access: z
    .array(z.unknown())
    .transform(accessFromObjects)
    .meta({ items: { $ref: '#/$defs/AuthorizationDetail' } })
    .exactOptional()
    .describe('The most that can be granted under it, for one target or several. Default: policy alone decides.'),
  deadlineSeconds: seconds
    .exactOptional()
    .describe('It ends after so many seconds. Default: [`lifetimes.task`](configuration.md).'),
  parent: z.string().exactOptional().describe('The id of the task above it, with which it ends at the latest.'),
  continues: z
    .string()
    .exactOptional()
    .describe(
      'The id of a task that it goes on with, after that one’s deadline for example. It has nothing of that one: the audit log links both.',
    ),
  heartbeat: z
    .strictObject({
      intervalSeconds: seconds.describe('How often the agent will report.'),
      missesAllowed: z.int().min(1).max(100).describe('How many reports in a row may be missing.'),
    })
    .exactOptional()
    .describe('The task ends when its agent stops reporting. Default: it need not report.'),
});

const state = z.enum(TASK_STATES).describe('As of now: an ended ancestor, a hold or the deadline counts at once.');

export const taskAnswer = z
  .strictObject({
    id: z.string(),
    state,
    workload: z.string().describe('The id of the workload that works on it.'),
    principal: z.string().exactOptional().describe('Whom it serves: a person, or the workload that handed it on.'),
    openedBy: z.string().exactOptional().describe('Who opened it, if that was not its workload.'),
    run: z.string().exactOptional().describe('`<trust name>:<run>`: the run that opened it, and with which it ends.'),
    shared: z.literal(true).exactOptional().describe('Requests that name no task are led to it.'),
    purpose: z.string(),
    access: z
      .array(detailSchema)
      .exactOptional()
      .describe('The most that can be granted under it. Absent: policy alone decides.'),
    openedAt: time(),
    deadline: time().describe('No credential under it outlives this.'),
    lineage: z.array(z.string()).describe('The ids of the tasks above it, the root first.'),
    continues: z.string().exactOptional().describe('The id of the task that it goes on with.'),
    heartbeat: z.strictObject({ intervalSeconds: natural, missesAllowed: natural, lastAt: time() }).exactOptional(),
    endedAt: time().exactOptional(),
    reason: z.string().exactOptional().describe('Why it ended.'),
  })
  .meta({ id: 'Task', description: 'A task: everything under it is dead when it is.' });

const publishedFields = {
  seq: natural.describe('Its number in the revocation log.'),
  at: time(),
  selector: selectorAnswer,
  effect: z.enum([...EFFECTS, 'lift']).describe('`lift` takes a hold back.'),
  reason: z.string(),
};

export const changedAnswer = z.strictObject({
  task: taskAnswer,
  revocation: z.strictObject(publishedFields).nullable().describe('What was published; null if nothing had to be.'),
});

const ending = z
  .strictObject({
    ...publishedFields,
    affected: affectedAnswer.nullable().describe('Null until it is counted.'),
    effects: effectsAnswer.exactOptional(),
  })
  .nullable()
  .describe('The entry that ended it; null if it had ended already.');

export const completedAnswer = z.strictObject({ task: taskAnswer, revocation: ending });

export const completedRunAnswer = z.strictObject({
  run: z.string().describe('`<trust name>:<run>`, as in a selector.'),
  state: z.enum(OUTCOMES).describe('How it ended: the first outcome stands.'),
  revocation: ending,
});

const reason = printable(512).exactOptional().describe('For the audit log.');

export const suspensionInput = z.strictObject({ reason });

export const completionInput = z.strictObject({
  outcome: z.enum(DECLARED_OUTCOMES).describe('How it ended.'),
  reason,
});

export const runCompletionInput = z.strictObject({
  issuer: nameSchema().describe('The trust name of the issuer whose tokens name the run.'),
  run: nameSchema(CLAIM_CHARACTERS_MAX).describe('The run, as those tokens name it (`trust[].run`).'),
  outcome: z.enum(DECLARED_OUTCOMES).default('completed').describe('How it ended.'),
  reason,
});

export const aliveAnswer = z.strictObject({ state, deadline: time() });
