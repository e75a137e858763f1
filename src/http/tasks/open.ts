/** POST /tasks: an orchestrator opens a task for a workload. */
import { defined } from '../../domain/defined.js';
import { z } from 'zod';
import { openTask } from '../../tasks/open-task.js';
import { accessFromObjects } from '../../targets/requested-access.js';
import type { HttpDeps } from '../deps.js';
import { idempotencyKeyOf } from '../idempotency-key.js';
import { operation } from '../operation.js';
import { printable } from '../text.js';
import { taskOnWire } from './task-on-wire.js';

const seconds = z.int().min(1).max(999_999_999);

const input = z.strictObject({
  workload: printable(2048),
  principal: printable(2048).exactOptional(),
  purpose: printable(256),
  /** RFC 9396 objects: the most that can be granted under the task. */
  access: z.array(z.unknown()).transform(accessFromObjects).exactOptional(),
  deadlineSeconds: seconds.exactOptional(),
  parent: z.string().exactOptional(),
  heartbeat: z.strictObject({ intervalSeconds: seconds, missesAllowed: z.int().min(1).max(100) }).exactOptional(),
});

export const taskOpening = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'openTask',
    from: 'body',
    input,
    async act(caller, asked, call) {
      const idempotencyKey = idempotencyKeyOf(call, asked);
      const request = defined({ ...asked, idempotencyKey, requestId: call.requestId });
      const answer = await openTask(deps, caller, request);
      const headers = { Location: `${deps.issuer}/tasks/${answer.task.id}` };
      return { status: 201, headers, body: taskOnWire(answer) };
    },
  });
