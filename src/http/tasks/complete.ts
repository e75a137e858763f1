/** POST /tasks/{id}/complete: the work is done, and every credential of the task is dead. */
import { z } from 'zod';
import { DECLARED_OUTCOMES } from '../../domain/task.js';
import { completeTask } from '../../tasks/complete-task.js';
import type { HttpDeps } from '../deps.js';
import { ok } from '../endpoint.js';
import { operation } from '../operation.js';
import { countsOf } from '../revocations/receipt-on-wire.js';
import { printable } from '../text.js';
import { entryOnWire, taskOnWire } from './task-on-wire.js';
import { taskOf } from './task-path.js';

const input = z.strictObject({ outcome: z.enum(DECLARED_OUTCOMES), reason: printable(512).exactOptional() });

export const taskCompletion = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'completeTask',
    from: 'body',
    input,
    async act(caller, asked, call) {
      const completed = await completeTask(deps, caller, { ...taskOf(call), ...asked });
      const { entry, affected, effects } = completed.revocation ?? {};
      const told = entryOnWire(entry);
      const did = { affected: affected ? countsOf(affected) : null, effects };
      return ok({ task: taskOnWire(completed), revocation: told && { ...told, ...did } });
    },
  });
