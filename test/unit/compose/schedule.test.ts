/** The schedule: every job runs again and again, and one that fails stops no other. */
import { afterEach, expect, it, jest } from '@jest/globals';
import { startSchedule } from '../../../src/compose/schedule.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { until } from '../../support/until.js';

let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  jest.useRealTimers();
});

it('runs each job in its turn, logs one that fails and tries it again, and waits for the last at the end', async () => {
  const runs: string[] = [];
  const lines: string[] = [];
  let finish: () => void = () => undefined;
  const long = new Promise<void>((resolve) => (finish = resolve));
  const everyMs = 20;
  const jobs = { fitness: { everyMs }, sweep: { everyMs }, audit: { everyMs }, notify: { everyMs, overlaps: true } };
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
  await until(() => ran('sweep') >= 2 && ran('fitness') >= 2 && ran('notify') >= 2, 'the schedule does not run');
  expect(lines.join('')).toMatch(/"level":"error".*no store today.*"job":"sweep"/);
  expect(ran('audit')).toBe(1); // A job that still runs is not started again, unless its entry in the table allows it.

  const stopped = schedule.stop(500);
  finish();
  await stopped;
  expect(runs).toContain('audit has ended');
});

it.each([
  ['ahead by more than a year', 400],
  ['back by ten days', -10],
])('goes on as before when the clock of the host is set %s', async (_, days) => {
  // Only what tells the time of day is replaced.
  jest.useFakeTimers({ now: Date.now(), doNotFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask', 'performance', 'hrtime'] }); // prettier-ignore
  let runs = 0;
  const log = createLogger({ level: 'silent' });
  const schedule = startSchedule({ sweep: { everyMs: 20 } }, () => Promise.resolve(void (runs += 1)), log);
  stop = () => schedule.stop(0);
  await until(() => runs >= 2, 'the schedule does not run');
  jest.setSystemTime(Date.now() + days * 86_400_000);
  const before = runs;
  await until(() => runs >= before + 3, 'the schedule stopped with the clock');
  expect(runs).toBeLessThan(before + 100);
});
