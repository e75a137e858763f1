/** GET /tasks: the tasks that are not over, in pages. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { CLAIM_CHARACTERS_MAX } from '../domain/name.js';
import { runValue } from '../domain/party.js';
import { nameSchema } from '../domain/schemas.js';
import { LIVE_STATES, permitListed } from '../inventory/tasks.js';
import type { HttpDeps } from './deps.js';
import { taskAnswer } from './task-contract.js';
import { taskOnWire } from './tasks.js';
import { json } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { cursor, cursorText, printable, wholeNumber } from './wire/fields.js';
import { operation } from './wire/operation.js';

const listAnswer = z.strictObject({
  tasks: z.array(taskAnswer),
  next: z
    .string()
    .exactOptional()
    .describe('The `after` of the next page; absent on the last. A page may be short, or empty, and not be the last.'),
});

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
        after: cursor('tsk').exactOptional().describe('The `next` of the page before.'),
        limit: wholeNumber(1, 500).default(100).describe('So many at most. Default: 100.'),
      })
      .refine(({ issuer, run }) => (issuer === undefined) === (run === undefined), 'Name issuer and run together'),
    charged: () => 'nobody',
    permit: (caller, { after, limit, issuer = '', run, ...filter }) =>
      permitListed(
        deps,
        caller,
        defined({ ...filter, run: run === undefined ? undefined : runValue(issuer, run) }),
        defined({ after, limit }),
      ),
    act: ({ permitted, next }) =>
      Promise.resolve(
        ok(defined({ tasks: permitted.map(({ subject }) => taskOnWire(subject)), next: next && cursorText(next) })),
      ),
  });
