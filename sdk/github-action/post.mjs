/** Runs after the job, however it ended: the task is completed, and the file with the credential is gone. */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { audience, input, say } from './job.mjs';
import { fromGitHubActions } from './lib/client/identity/github-actions.js';
import { mayfly } from './lib/client/mayfly.js';

const OUTCOMES = { success: 'completed', cancelled: 'cancelled' };
const { STATE_task: task, STATE_file: file } = process.env;

if (task) {
  try {
    const broker = mayfly({ url: input('broker'), identity: fromGitHubActions(audience()) });
    const outcome = OUTCOMES[input('job-status')] ?? 'failed';
    await (await broker.join(task)).complete(outcome);
    console.log(`Task ${task} is over: ${outcome}.`);
  } catch (error) {
    say(
      'warning',
      error.name === 'TaskEnded' ? error.message : `${error.message} Without heartbeats the broker ends task ${task}.`,
    );
  }
}
// The credential is dead. Without its folder the process that keeps it ends too.
if (file) await rm(dirname(file), { recursive: true, force: true, maxRetries: 3 });
