/** The entrance of the client: a broker, and the identity that this process shows it. */
import { isLive } from '../domain/task-outcome.js';
import { MayflyError, TaskEnded, Unavailable } from './errors.js';
import { ask, asBearer, brokerOrigin, textOf } from './request.js';
import { Task } from './task.js';
const MISSES_ALLOWED = 3;
export function mayfly({ url, identity, timeoutMs = 10_000, fetch = globalThis.fetch }) {
  const connection = { url: brokerOrigin(url), identity, timeoutMs, fetch };
  const task = (options) => openTask(connection, options);
  return {
    task,
    join: (id) => joinTask(connection, id),
    handedOn: (token, { purpose } = {}) =>
      new Task(connection, { handedOn: token, ...(purpose !== undefined && { purpose }) }),
    under: (id) => new Task(connection, id === undefined ? {} : { id }),
    async run(options, work) {
      const opened = await task(options);
      // What went wrong in the work is what the caller must learn, whether or not the broker can still be told.
      const result = await work(opened).catch(async (error) => {
        await opened.complete('failed').catch(() => undefined);
        throw error;
      });
      await opened.complete('completed');
      return result;
    },
  };
}
async function openTask(connection, options) {
  const { purpose, access, deadlineSeconds, heartbeatSeconds = 30, person } = options;
  if (person) {
    if ((access ?? deadlineSeconds ?? options.heartbeatSeconds) !== undefined) {
      throw new MayflyError('A task for a person takes no access, no deadlineSeconds and no heartbeatSeconds.');
    }
    return new Task(connection, { purpose, person });
  }
  const body = {
    purpose,
    ...(access && { access }),
    ...(deadlineSeconds !== undefined && { deadlineSeconds }),
    heartbeat: { intervalSeconds: heartbeatSeconds, missesAllowed: MISSES_ALLOWED },
  };
  // A repeated attempt must not open a second task.
  const headers = { 'Idempotency-Key': crypto.randomUUID() };
  const id = textOf((await ask(connection, { path: '/tasks', prove: asBearer({ body, headers }) }))['id']);
  if (id === undefined) throw new Unavailable('The answer of the broker has no id of a task.', { mayPass: false });
  return new Task(connection, { id, heartbeatSeconds });
}
async function joinTask(connection, id) {
  const path = `/tasks/${encodeURIComponent(id)}`;
  const { state, heartbeat } = await ask(connection, { path, prove: asBearer() });
  if (typeof state === 'string' && !isLive(state)) throw new TaskEnded(id, state);
  const { intervalSeconds } = heartbeat ?? {};
  return new Task(connection, {
    id,
    ...(typeof intervalSeconds === 'number' && { heartbeatSeconds: intervalSeconds }),
  });
}
