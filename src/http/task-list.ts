/** GET /tasks: the tasks that are not over, in pages. GET /tasks/{id}/tree: those of one tree. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { CLAIM_CHARACTERS_MAX } from '../domain/name.js';
import { runValue } from '../domain/party.js';
import { nameSchema } from '../domain/schemas.js';
import { LIVE_STATES } from '../domain/task-outcome.js';
import { listTasks, listTree } from '../inventory/tasks.js';
import type { HttpDeps } from './deps.js';
import { taskAnswer } from './task-contract.js';
import { taskOnWire } from './tasks.js';
import { textsOf, unknownAnswer } from './wire/answers.js';
import { json } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { cursor, cursorText, nextCursor } from './wire/cursor.js';
import { printable, wholeNumber } from './wire/fields.js';
import { operation, taskOperation } from './wire/operation.js';

const listAnswer = z.strictObject({
  tasks: z.array(taskAnswer),
  next: nextCursor,
  unknown: unknownAnswer,
});

const paging = (deps: HttpDeps) => ({
  after: cursor(deps, 'tasks').exactOptional().describe('The `next` of the page before.'),
  limit: wholeNumber(1, 500).default(100).describe('So many at most. Default: 100.'),
});

const listed = (deps: HttpDeps, { permitted, next, unknown }: Awaited<ReturnType<typeof listTasks>>) => {
  const tasks = permitted.map(({ subject }) => taskOnWire(subject));
  return ok(defined({ tasks, next: next && cursorText(deps, 'tasks', next), unknown: textsOf(unknown) }));
};

export const taskList = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'readTask',
    summary: 'Lists the tasks that are open or suspended and that the caller may read, in no particular order.',
    needs: '`readTask` of each',
    answers: { 200: json(listAnswer) },
    from: 'query',
    input: z
      .strictObject({
        state: z.enum(LIVE_STATES).exactOptional().describe('Default: both.'),
        workload: nameSchema().exactOptional().describe('The id of the workload that works on it.'),
        principal: nameSchema().exactOptional().describe('The id of the person whom it serves.'),
        purpose: printable(256).exactOptional(),
        issuer: nameSchema().exactOptional().describe('With `run`: the trust name of the issuer whose tokens name it.'),
        run: nameSchema(CLAIM_CHARACTERS_MAX)
          .exactOptional()
          .describe('The run that opened it, as those tokens name it.'),
        ...paging(deps),
      })
      .refine(({ issuer, run }) => (issuer === undefined) === (run === undefined), 'Name issuer and run together'),
    charged: () => 'nobody',
    permit: (caller, { after, limit, issuer = '', run, ...filter }) =>
      listTasks(
        deps,
        caller,
        defined({ ...filter, run: run === undefined ? undefined : runValue(issuer, run) }),
        defined({ after, limit }),
      ),
    act: (found) => Promise.resolve(listed(deps, found)),
  });

export const taskTree = (deps: HttpDeps) =>
  taskOperation(deps, {
    verb: 'readTask',
    summary:
      'Shows the tree that a task belongs to, as far as the caller may read it: the root, and every task that was ' +
      'opened below it, also those that have ended. Who is below whom is in `lineage`.',
    needs: '`readTask` of each',
    path: { id: 'The id of a task, the root or any other.' },
    answers: { 200: json(listAnswer) },
    refusals: ['not_found'],
    from: 'query',
    input: z.strictObject(paging(deps)),
    act: async (permitted, { after, limit }) =>
      listed(deps, await listTree(deps, permitted, defined({ after, limit }))),
  });
