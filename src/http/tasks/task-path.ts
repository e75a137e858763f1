/** Which task a path names. What is no id names no task; the use case says so as for any other. */
import type { TaskRequest } from '../../authorization/permit-on-task.js';
import type { Call } from '../endpoint.js';

export const taskOf = ({ params, requestId }: Pick<Call, 'params' | 'requestId'>): TaskRequest => ({
  taskId: params['id'] ?? '',
  requestId,
});
