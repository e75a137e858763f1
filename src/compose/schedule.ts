/** What is done again and again, and how often. */
import cron from 'node-cron';
import type { Logger } from '../telemetry/log.js';
import type { Work } from './work.js';

const EVERY_SECOND = '* * * * * *';
const EVERY_10_SECONDS = '*/10 * * * * *';
const EVERY_30_SECONDS = '*/30 * * * * *';
const EVERY_MINUTE = '7 * * * * *';
const EVERY_HOUR = '23 17 * * * *';

const TABLE: readonly [job: keyof Work, when: string][] = [
  ['fitness', EVERY_SECOND],
  ['sweep', EVERY_SECOND],
  ['receipts', EVERY_SECOND],
  ['reconcile', EVERY_SECOND],
  ['signals', EVERY_SECOND],
  ['detectors', EVERY_SECOND],
  ['audit', EVERY_SECOND],
  ['notify', EVERY_SECOND],
  ['keys', EVERY_10_SECONDS],
  ['counts', EVERY_10_SECONDS],
  ['drift', EVERY_30_SECONDS],
  ['forget', EVERY_MINUTE],
  ['prune', EVERY_HOUR],
];

export interface Schedule {
  /** Starts nothing more, and waits for what runs. */
  stop(patienceMs: number): Promise<void>;
}

export function startSchedule(work: Work, log: Logger): Schedule {
  for (const [job, when] of TABLE) {
    cron.schedule(when, () => attempt(work, job, log), {
      name: job,
      // Each webhook has its own turn, and one that hangs must not keep the others from theirs.
      noOverlap: job !== 'notify',
      suppressMissedWarning: true,
      logger: { info: quiet, warn: quiet, debug: quiet, error: quiet },
    });
  }
  return { stop: (patienceMs) => cron.shutdown(patienceMs) };
}

/** One that fails is tried again at its next turn, and never takes the process with it. */
async function attempt(work: Work, job: keyof Work, log: Logger): Promise<void> {
  try {
    await work[job]();
  } catch (err) {
    log.error({ err, job }, 'a recurring job failed');
  }
}

/** What matters of a run is said above; a run that is skipped because the last one still lasts shows in readiness. */
const quiet = (): void => undefined;
