/** POST /tasks/{id}/heartbeat: a sign of life; the answer tells the agent whether to go on. */
import { heartbeat } from '../../tasks/heartbeat.js';
import { toTimestamp } from '../../domain/time.js';
import type { HttpDeps } from '../deps.js';
import { ok } from '../endpoint.js';
import { nothing, operation } from '../operation.js';
import { taskOf } from './task-path.js';

export const taskHeartbeat = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'heartbeat',
    from: 'body',
    input: nothing,
    async act(caller, _, call) {
      const { task, state } = await heartbeat(deps, caller, taskOf(call));
      return ok({ state, deadline: toTimestamp(task.deadline) });
    },
  });
