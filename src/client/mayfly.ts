/** The entrance of the client: a broker, and the identity that this process shows it. */
import { isLive } from '../domain/task-outcome.js';
import { MayflyError, TaskEnded, Unavailable } from './errors.js';
import { ask, asBearer, brokerOrigin, textOf, type Connection, type IdentitySource } from './request.js';
import { Task } from './task.js';

export interface MayflyOptions {
  /** The origin of the broker: https, or http on loopback. */
  url: string;
  /** Where the workload's identity token comes from. */
  identity: IdentitySource;
  /** The most that one request may take; default 10 seconds. */
  timeoutMs?: number;
  fetch?: typeof fetch;
}

export interface TaskOptions {
  purpose: string;
  /** RFC 9396 objects: the most that can be granted under the task. Default: what policy permits. */
  access?: readonly object[];
  deadlineSeconds?: number;
  /**
   * How often the client says that this process lives; default 30 seconds. After three that are missing the broker ends the task,
   * so nothing outlives a killed process for long.
   */
  heartbeatSeconds?: number;
  /** Returns the token of the person that the task serves. Such a task is opened by its first credential, and has no heartbeat. */
  person?: IdentitySource;
}

export interface Mayfly {
  /** Opens a task. Leave its scope by complete() or leave(): `await using` alone says that it failed. */
  task(options: TaskOptions): Promise<Task>;
  /** Goes on with a task that somebody else has opened for this workload, and takes over its heartbeat. Throws TaskEnded if it is over. */
  join(id: string): Promise<Task>;
  /**
   * Works under a task that somebody else keeps alive, and sends no heartbeat: the task of that id, or else the one that all requests
   * of the workload share which name no task, by the default purpose of their target.
   */
  under(id?: string): Task;
  /**
   * Goes on with what another agent gave to this one: the token of a credential of its own. The task is opened by its first credential,
   * below the task of that one; it has no heartbeat, gives nothing that goes beyond that credential, and ends with it.
   * @param options.purpose Default: the purpose of the other agent's task.
   */
  handedOn(token: string, options?: { purpose?: string }): Task;
  /** Opens a task, runs the work, and completes the task: as `completed` after a return, as `failed` after a throw. */
  run<T>(options: TaskOptions, work: (task: Task) => Promise<T>): Promise<T>;
}

const MISSES_ALLOWED = 3;

export function mayfly({ url, identity, timeoutMs = 10_000, fetch = globalThis.fetch }: MayflyOptions): Mayfly {
  const connection: Connection = { url: brokerOrigin(url), identity, timeoutMs, fetch };
  const task = (options: TaskOptions) => openTask(connection, options);
  return {
    task,
    join: (id) => joinTask(connection, id),
    handedOn: (token, { purpose } = {}) =>
      new Task(connection, { handedOn: token, ...(purpose !== undefined && { purpose }) }),
    under: (id) => new Task(connection, id === undefined ? {} : { id }),
    async run(options, work) {
      const opened = await task(options);
      // What went wrong in the work is what the caller must learn, whether or not the broker can still be told.
      const result = await work(opened).catch(async (error: unknown) => {
        await opened.complete('failed').catch(() => undefined);
        throw error;
      });
      await opened.complete('completed');
      return result;
    },
  };
}

async function openTask(connection: Connection, options: TaskOptions): Promise<Task> {
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

async function joinTask(connection: Connection, id: string): Promise<Task> {
  const path = `/tasks/${encodeURIComponent(id)}`;
  const { state, heartbeat } = await ask(connection, { path, prove: asBearer() });
  if (typeof state === 'string' && !isLive(state)) throw new TaskEnded(id, state);
  const { intervalSeconds } = (heartbeat ?? {}) as { intervalSeconds?: unknown };
  return new Task(connection, {
    id,
    ...(typeof intervalSeconds === 'number' && { heartbeatSeconds: intervalSeconds }),
  });
}
