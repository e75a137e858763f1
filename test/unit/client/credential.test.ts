/** A credential that the client keeps: how long it is handed out, and when the next is asked for. */
import { afterEach, expect, it, jest } from '@jest/globals';
import os from 'node:os';
import { KeptCredential } from '../../../src/client/credential.js';
import { Unavailable } from '../../../src/client/errors.js';

const uptime = jest.spyOn(os, 'uptime');
/** So many seconds after some moment, for the client. */
const at = (seconds: number) => void uptime.mockReturnValue(1_000 + seconds);
afterEach(() => at(0));

let issued = 0;
const issue = () => Promise.resolve({ token: `t${(issued += 1)}`, scope: '', lifetimeSeconds: 300 });
const settled = () => new Promise(setImmediate);

it('is not handed out after a sleep of the machine that it did not outlive', async () => {
  at(0);
  const kept = new KeptCredential(issue);
  const first = await kept.get();
  at(100);
  expect(await kept.get()).toBe(first);
  // A laptop sleeps for an hour: performance.now() has hardly moved.
  at(3_700);
  expect(first.expiresInSeconds).toBe(0);
  expect(kept.isIdle).toBe(true);
  expect(await kept.get()).not.toBe(first);
});

it('is renewed by each of many clients at a moment of its own, also after a broker that was away has come back', async () => {
  at(0);
  let isAway = false;
  const asked = new Set<number>();
  const many = Array.from(
    { length: 50 },
    (_, index) =>
      new KeptCredential(() => {
        asked.add(index);
        return isAway ? Promise.reject(new Unavailable('away')) : issue();
      }),
  );
  const all = async (seconds: number) => {
    at(seconds);
    asked.clear();
    await Promise.all(many.map((kept) => kept.get()));
    await settled();
    return asked.size;
  };
  await all(0);
  expect(await all(179)).toBe(0);
  isAway = true;
  expect(await all(241)).toBe(50);
  // Nobody asks again at once, and not all at the same time.
  expect(await all(242.9)).toBe(0);
  isAway = false;
  const some = await all(244.5);
  expect(some).toBeGreaterThan(0);
  expect(some).toBeLessThan(50);
  expect(some + (await all(246.1))).toBe(50);
});
