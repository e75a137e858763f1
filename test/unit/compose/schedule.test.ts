/** The schedule: every job runs again and again, and one that fails stops no other. */
import { afterEach, expect, it } from '@jest/globals';
import { startSchedule } from '../../../src/compose/schedule.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { until } from '../../support/until.js';

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

it('runs each job in its turn, logs one that fails and tries it again, and waits for the last at the end', async () => {
  const runs: string[] = [];
  const lines: string[] = [];
  let finish: () => void = () => undefined;
  const long = new Promise<void>((resolve) => (finish = resolve));
  const every = '* * * * * *';
  const jobs = { fitness: { every }, sweep: { every }, audit: { every }, notify: { every, overlaps: true } };
  const run = async (job: keyof typeof jobs) => {
    runs.push(job);
    if (job === 'sweep') throw new Error('no store today');
    if (job === 'fitness') return;
    await long;
    runs.push(`${job} has ended`);
  };
  const log = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const schedule = startSchedule(jobs, run, log);
  stop = () => schedule.stop(0);
  const ran = (name: string) => runs.filter((one) => one === name).length;
  await until(() => ran('sweep') >= 2 && ran('fitness') >= 2, 'the schedule does not run');
  expect(lines.join('')).toMatch(/"level":"error".*no store today.*"job":"sweep"/);
  expect(ran('audit')).toBe(1); // A job that still runs is not started again,
  expect(ran('notify')).toBeGreaterThanOrEqual(2); // unless its entry in the table allows it.

  const stopped = schedule.stop(500);
  finish();
  await stopped;
  expect(runs).toContain('audit has ended');
});
