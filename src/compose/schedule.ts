/**
 * Runs a table of jobs again and again. Node's timers count the time that passes, whatever the clock of the host says: when it
 * is set, or the machine was asleep, no job stops and none makes up for the time that was left out.
 */
import { within } from '../domain/within.js';
import type { Logger } from '../telemetry/log.js';

export interface Timing {
  /** Milliseconds from one start to the next. The first is as long after the schedule starts. */
  everyMs: number;
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
  const timers: NodeJS.Timeout[] = [];
  const underWay = new Map<Promise<void>, Name>();
  for (const job in jobs) {
    const { everyMs, overlaps = false } = jobs[job];
    const start = () => {
      if (!overlaps && [...underWay.values()].includes(job)) return;
      const running = attempt(run, job, log).finally(() => underWay.delete(running));
      underWay.set(running, job);
    };
    timers.push(setInterval(start, everyMs));
  }
  return {
    async stop(patienceMs) {
      for (const timer of timers) clearInterval(timer);
      const ended = Promise.all(underWay.keys()).then(() => undefined);
      await within(patienceMs, ended, () => new Error('jobs are still under way')).catch(() => undefined);
    },
  };
}

/** Runs a job once. A job that fails is tried again at its next run. It never ends the process. */
async function attempt<Name extends string>(run: (job: Name) => Promise<void>, job: Name, log: Logger): Promise<void> {
  try {
    await run(job);
  } catch (err) {
    log.error({ err, job }, 'a recurring job failed');
  }
}
