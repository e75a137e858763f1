/** Leases: who has one, by a clock that may be set. */
import { describe, expect, it } from '@jest/globals';
import { standingOf } from '../../../src/ledger/lease.js';

const NOW = 1_000_000;
const TIMES = { lengthMs: 20_000, renewBelowMs: 14_000 };
const standing = (holder: string, leftMs: number) =>
  standingOf({ holder, leasedUntil: NOW + leftMs }, 'one', NOW, TIMES);

describe('A lease', () => {
  it('that does not exist is taken', () => {
    expect(standingOf(undefined, 'one', NOW, TIMES)).toBe('take');
  });

  it.each([
    [20_000, 'theirs'],
    [1, 'theirs'],
    [0, 'take'],
    [-1, 'take'],
  ])('of another broker with %i ms left is %s', (leftMs, expected) => {
    expect(standing('other', leftMs)).toBe(expected);
  });

  it.each([
    [20_000, 'mine'],
    [14_001, 'mine'],
    [14_000, 'renew'],
    [0, 'renew'],
    [-60_000, 'renew'],
  ])('of this broker with %i ms left is %s', (leftMs, expected) => {
    expect(standing('one', leftMs)).toBe(expected);
  });

  it('that was given up is taken by another broker at once', () => {
    expect(standingOf({ holder: 'other', leasedUntil: 0 }, 'one', NOW, TIMES)).toBe('take');
  });

  it.each([20_001, 86_400_000])(
    'with %i ms left, beyond its length, holds nobody up: the clock was set back',
    (leftMs) => {
      expect(standing('other', leftMs)).toBe('take');
      expect(standing('one', leftMs)).toBe('renew');
    },
  );
});
