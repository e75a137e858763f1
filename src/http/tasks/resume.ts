/** POST /tasks/{id}/resume: lifts the hold that suspending placed, and no other. */
import { resumeTask } from '../../tasks/suspend-task.js';
import type { HttpDeps } from '../deps.js';
import { ok } from '../endpoint.js';
import { nothing, operation } from '../operation.js';
import { entryOnWire, taskOnWire } from './task-on-wire.js';
import { taskOf } from './task-path.js';

export const taskResumption = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'resumeTask',
    from: 'body',
    input: nothing,
    async act(caller, _, call) {
      const resumed = await resumeTask(deps, caller, taskOf(call));
      return ok({ task: taskOnWire(resumed), revocation: entryOnWire(resumed.entry) });
    },
  });
