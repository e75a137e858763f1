/**
 * The step itself. A process of a step ends with the step, and the credential must be renewed for as long as the job runs: so
 * another process (keep.mjs) opens the task and stays. This one waits until the credential is there, and tells the runner.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { hand, say } from './job.mjs';

const keeper = fork(fileURLToPath(new URL('keep.mjs', import.meta.url)), {
  detached: true,
  stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  // The parent of this process is the runner, unless the job is in a container.
  env: { ...process.env, MAYFLY_RUNNER: String(process.ppid) },
});
const gone = once(keeper, 'exit').then(() => [{ failed: 'The process that keeps the credential did not start.' }]);
const [{ failed, task, file, token }] = await Promise.race([once(keeper, 'message'), gone]);
if (failed === undefined) {
  // Before anything could print it.
  say('add-mask', token);
  hand('GITHUB_STATE', { task, file });
  hand('GITHUB_ENV', { MAYFLY_TASK: task, MAYFLY_TOKEN_FILE: file });
  hand('GITHUB_OUTPUT', { task, 'token-file': file });
  keeper.send('told');
  console.log(`Task ${task} is open, kept by process ${keeper.pid}. It ends with this job.`);
} else {
  say('error', failed);
  process.exitCode = 1;
}
if (keeper.connected) keeper.disconnect();
keeper.unref();
