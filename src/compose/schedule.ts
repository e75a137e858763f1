/** Runs a table of jobs by the clock. */
import cron from 'node-cron';
import type { Logger } from '../telemetry/log.js';

export interface Timing {
  /** A cron expression; the first field is seconds. */
  every: string;
  /** A run may begin while the last one is still under way; default: it is skipped. */
  overlaps?: boolean;
}

export interface Schedule {
  /** Starts no more runs, and waits for those under way. */
  stop(patienceMs: number): Promise<void>;
}

export function startSchedule<Name extends string>(
  jobs: Readonly<Record<Name, Timing>>,
  run: (job: Name) => Promise<void>,
  log: Logger,
): Schedule {
  for (const job in jobs) {
    const { every, overlaps = false } = jobs[job];
    cron.schedule(every, () => attempt(run, job, log), {
      name: job,
      noOverlap: !overlaps,
      suppressMissedWarning: true,
      logger: { info: quiet, warn: quiet, debug: quiet, error: quiet },
    });
  }
  return { stop: (patienceMs) => cron.shutdown(patienceMs) };
}

/** Runs a job once. A job that fails is tried again at its next run. It never ends the process. */
async function attempt<Name extends string>(run: (job: Name) => Promise<void>, job: Name, log: Logger): Promise<void> {
  try {
    await run(job);
  } catch (err) {
    log.error({ err, job }, 'a recurring job failed');
  }
}

/** node-cron logs of its own are dropped: a failed run is logged above, and a skipped run shows in readiness. */
const quiet = (): void => undefined;
