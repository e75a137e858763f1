/** The schedule: everything runs, again and again; what fails takes nothing with it. */
import { afterEach, expect, it } from '@jest/globals';
import type { Work } from '../../../src/compose/work.js';
import { startSchedule } from '../../../src/compose/schedule.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { until } from '../../support/redis.js';

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

it('runs each job in its turn, logs one that fails and tries it again, and waits for the last at the end', async () => {
  const runs: string[] = [];
  const lines: string[] = [];
  let finish: () => void = () => undefined;
  const long = new Promise<void>((resolve) => (finish = resolve));
  const job = (name: keyof Work) => () => Promise.resolve(void runs.push(name));
  const work: Work = {
    fitness: job('fitness'),
    receipts: job('receipts'),
    reconcile: job('reconcile'),
    drift: job('drift'),
    signals: job('signals'),
    detectors: job('detectors'),
    notify: job('notify'),
    keys: job('keys'),
    counts: job('counts'),
    forget: job('forget'),
    prune: job('prune'),
    sweep: () => {
      runs.push('sweep');
      return Promise.reject(new Error('no store today'));
    },
    audit: async () => {
      runs.push('audit');
      await long;
      runs.push('audit has ended');
    },
  };
  const log = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const schedule = startSchedule(work, log);
  stop = () => schedule.stop(0);
  const ran = (name: string) => runs.filter((one) => one === name).length;
  await until(() => ran('sweep') >= 2 && ran('fitness') >= 2, 'the schedule does not run');
  expect(lines.join('')).toMatch(/"level":"error".*no store today.*"job":"sweep"/);
  expect(ran('audit')).toBe(1); // One that still runs is not started beside itself.

  const stopped = schedule.stop(500);
  finish();
  await stopped;
  expect(runs).toContain('audit has ended');
});
