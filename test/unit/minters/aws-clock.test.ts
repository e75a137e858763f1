/** AWS's clock as answers of STS show it: in whole seconds, and some time after the request. */
import { beforeEach, expect, it } from '@jest/globals';
import { watchAwsClock, type AwsClock } from '../../../src/minters/aws/aws-clock.js';
import { handClock, type HandClock } from '../../support/clock.js';

let clock: HandClock;
let awsClock: AwsClock;
beforeEach(() => {
  clock = handClock();
  awsClock = watchAwsClock(clock);
});

/** AWS's clock is ahead by so much, and its answer comes `tookMs` after the question. AWS issues as soon as it gets the request. */
function compared(aheadMs: number, tookMs = 0): boolean {
  const sentAt = clock.now();
  const issuedAt = Math.floor((sentAt + aheadMs) / 1_000) * 1_000;
  clock.advance(tookMs);
  return awsClock.compare(issuedAt, sentAt);
}

it('is trusted until something else is seen, and what does not say when it was issued shows nothing', () => {
  expect([awsClock.agrees(), awsClock.compare(undefined, clock.now())]).toEqual([true, true]);
  compared(10_000);
  expect(awsClock.compare(undefined, clock.now())).toBe(false);
});

it.each([
  ['the same, in the middle of a second', 0, 999, true],
  ['ahead by the most', 3_000, 0, true],
  ['ahead by a second more', 4_000, 0, false],
  ['behind by the most', -3_000, 0, true],
  ['behind by the most, which whole seconds make more', -3_000, 999, true],
  ['behind by more than that can be', -4_001, 0, false],
])('agrees or not: %s', (_, aheadMs, startsAt, agrees) => {
  clock.advance(startsAt);
  expect([compared(aheadMs), awsClock.agrees()]).toEqual([agrees, agrees]);
});

it('is not taken for wrong because the answer took its time', () => {
  expect([compared(0, 10_000), compared(-2_000, 10_000), compared(2_000, 10_000)]).toEqual([true, true, true]);
});

it('is trusted again as soon as an answer agrees', () => {
  expect([compared(-20_000), compared(0), awsClock.agrees()]).toEqual([false, true, true]);
});
