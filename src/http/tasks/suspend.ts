/** POST /tasks/{id}/suspend: what was minted is dead for good, and nothing new is born until the task is resumed. */
import { z } from 'zod';
import { suspendTask } from '../../tasks/suspend-task.js';
import type { HttpDeps } from '../deps.js';
import { ok } from '../endpoint.js';
import { operation } from '../operation.js';
import { printable } from '../text.js';
import { entryOnWire, taskOnWire } from './task-on-wire.js';
import { taskOf } from './task-path.js';

const input = z.strictObject({ reason: printable(512).exactOptional() });

export const taskSuspension = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'suspendTask',
    from: 'body',
    input,
    async act(caller, asked, call) {
      const suspended = await suspendTask(deps, caller, { ...taskOf(call), ...asked });
      return ok({ task: taskOnWire(suspended), revocation: entryOnWire(suspended.entry) });
    },
  });
