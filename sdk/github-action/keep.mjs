/**
 * Keeps the task of a job alive and its credential fresh, until the step after the job removes the file, the task ends, or the
 * runner is gone. When this process is gone too, its heartbeat is missing and the broker ends the task.
 */
import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { audience, input } from './job.mjs';
import { fromGitHubActions } from './lib/client/identity/github-actions.js';
import { mayfly } from './lib/client/mayfly.js';

/** The client renews a credential well ahead of its end. */
const LOOK_MS = 1_000;

const runner = Number(process.env.MAYFLY_RUNNER);
let task;
let file;
let last;
let isTold = false;

async function begin() {
  const seconds = input('deadline-seconds');
  if (seconds !== undefined && !/^[1-9]\d{0,8}$/.test(seconds)) throw new Error('deadline-seconds is a whole number.');
  const broker = mayfly({ url: input('broker'), identity: fromGitHubActions(audience()) });
  task = await broker.task({
    purpose: input('purpose'),
    ...(seconds !== undefined && { deadlineSeconds: Number(seconds) }),
  });
  file = join(await mkdtemp(join(process.env.RUNNER_TEMP || tmpdir(), 'mayfly-')), 'token');
  await write();
  process.send({ task: task.id, file, token: last });
}

/** A file that is renamed is never read half written. */
async function write() {
  const { token } = await task.credential(input('target'), input('access')?.split(/\s+/));
  if (token === last) return;
  await writeFile(`${file}.new`, token, { mode: 0o600 });
  await rename(`${file}.new`, file);
  last = token;
}

/** Ends this process. The task is ended by whoever knows how the job ended, or by the broker. */
async function leave() {
  task?.leave();
  if (file) await rm(dirname(file), { recursive: true, force: true });
  process.exit(0);
}

/** The task is of no use to anybody. */
async function giveUp(outcome, failed) {
  await task?.complete(outcome).catch(() => undefined);
  if (failed !== undefined && process.connected) await new Promise((sent) => process.send({ failed }, sent));
  await leave();
}

async function look() {
  const isThere = await stat(dirname(file)).then(
    () => true,
    () => false,
  );
  if (!isThere || !isAlive(runner) || task.signal.aborted) await leave();
  // A broker that is away for a while is asked again; what is in the file lives on meanwhile, or is refused.
  await write().catch(() => undefined);
  setTimeout(look, LOOK_MS);
}

/** In a container the runner is not seen (0 or 1): this process ends with the container. */
function isAlive(pid) {
  if (!(pid > 1)) return true;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

process.on('message', () => {
  isTold = true;
  void look();
});
// The step was stopped before it could tell anybody of the task.
process.on('disconnect', () => {
  if (!isTold) void giveUp('cancelled');
});
begin().catch((error) => giveUp('failed', error.message));
