/** GET /tasks/{id}: the task and its state as of now. */
import { permitOnTask } from '../../authorization/permit-on-task.js';
import type { HttpDeps } from '../deps.js';
import { ok } from '../endpoint.js';
import { nothing, operation } from '../operation.js';
import { taskOnWire } from './task-on-wire.js';
import { taskOf } from './task-path.js';

export const taskReading = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'readTask',
    from: 'query',
    input: nothing,
    act: async (caller, _, call) => ok(taskOnWire(await permitOnTask(deps, caller, 'readTask', taskOf(call)))),
  });
