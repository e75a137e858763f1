/** Each change of readiness is one line of the log, with its reasons. */
import { beforeEach, expect, it } from '@jest/globals';
import type { Check } from '../../../src/health/check.js';
import { loggedReadiness } from '../../../src/health/readiness-log.js';

let checks: Check[];
let lines: unknown[];
let look: () => Promise<Check[]>;

beforeEach(() => {
  lines = [];
  const note = (...said: unknown[]) => void lines.push(said);
  look = loggedReadiness(() => Promise.resolve(checks), { info: note, warn: note } as never);
});

const is = async (...failing: Check[]) => {
  checks = [{ name: 'policy', ok: true }, ...failing];
  expect(await look()).toBe(checks);
};
const full = (percent: number): Check => ({ name: 'space', ok: false, reason: `the store is ${percent} % full` });
const late: Check = { name: 'webhooks', ok: false, reason: 'events wait', degrades: true };

it('is said once when it holds, however often it is asked', async () => {
  await is();
  await is();
  expect(lines).toEqual([['ready']]);
});

it('is not said while it does not hold; each change is said once, though the numbers in a reason change', async () => {
  await is(full(91));
  await is(full(92));
  await is(full(93), late);
  await is(late);
  await is();
  expect(lines).toEqual([
    [{ failing: { space: 'the store is 91 % full' } }, 'not ready'],
    [{ failing: { space: 'the store is 93 % full', webhooks: 'events wait' } }, 'not ready'],
    [{ failing: { webhooks: 'events wait' } }, 'degraded'],
    ['ready'],
  ]);
});
