/** The spike rule: far more in a minute than the workload's baseline. */
import { describe, expect, it } from '@jest/globals';
import { isDue, spike } from '../../../src/detectors/spike.js';
import { found, judged, noted } from '../../support/noted.js';

const START = Date.UTC(2030, 0, 1);
const DAY_MINUTES = 24 * 60;
const bounds = { factor: 10, atLeast: 50 };
const rule = spike(bounds);
const inMinute = (minute: number, count: number) => ({ at: START + minute * 60_000, count });
const steady = (minutes: number, count: number, from = 0) =>
  Array.from({ length: minutes }, (_, i) => inMinute(from + i, count));

describe('a spike of mints', () => {
  it('is more than so many times its own usual', () => {
    const judgements = judged(rule, [...steady(10, 20), inMinute(10, 200), inMinute(10, 1)]);
    expect(found(judgements).lastIndexOf(false)).toBe(10);
    expect(judgements.at(-1)?.finding?.why).toBe('201 in a minute, where 20.0 are usual');
  });

  it('is seen after a clock that was ahead is set back', () => {
    expect(found(judged(rule, [inMinute(600, 100), inMinute(1, 100)]))).toEqual([true, true]);
  });

  it('is nothing that another workload does every minute', () => {
    expect(found(judged(rule, [inMinute(0, 40), ...steady(30, 300, 1)])).slice(15)).toEqual(Array(16).fill(false));
  });

  it('is never less than `atLeast`, however little is usual', () => {
    expect(found(judged(rule, [...steady(5, 1), inMinute(5, 49), inMinute(6, 50)]))).toEqual([
      ...Array<boolean>(6).fill(false),
      true,
    ]);
  });

  it('of a workload that was never seen is measured by `atLeast` alone', () => {
    expect(found(judged(rule, [inMinute(0, 49), inMinute(0, 1)]))).toEqual([false, true]);
  });

  it('is one finding a minute', () => {
    const judgements = judged(rule, [...steady(5, 5), inMinute(5, 90), inMinute(5, 90), inMinute(6, 90)]);
    expect(found(judgements).slice(5)).toEqual([true, false, true]);
    expect(judgements.at(-1)?.finding?.window).toBe(Math.floor(START / 60_000) + 6);
  });

  it('that was not told apart from others is found again', () => {
    const [first] = judged(rule, [inMinute(0, 50)]);
    const next = noted({ at: START, count: 1 });
    expect(rule(first?.keep, next, START).finding).toBeUndefined();
    expect(rule(first?.finding?.keepUntold, next, START).finding).toMatchObject({
      why: '51 in a minute, where 0.0 are usual',
    });
  });

  it('does not excuse the next: it teaches no more than what would have been none', () => {
    const judgements = judged(rule, [
      ...steady(10, 20),
      inMinute(10, 100_000),
      ...steady(2, 20, 11),
      inMinute(13, 900),
    ]);
    expect(found(judgements).at(-1)).toBe(true);
  });

  it('is measured by the minutes in which there was work: nights are no usual', () => {
    const judgements = judged(rule, [...steady(20, 60), ...steady(20, 60, DAY_MINUTES)]);
    expect(found(judgements).slice(2)).toEqual(Array(38).fill(false));
  });

  it('is found by what two brokers report of one minute, also when it is just over', () => {
    const judgements = judged(rule, [inMinute(0, 5), inMinute(1, 30), inMinute(2, 1), inMinute(1, 30)]);
    expect(found(judgements)).toEqual([false, false, false, true]);
  });

  it('costs the store nothing while it is small and its minute lasts', () => {
    const [few, many] = [noted({ at: START, count: 4 }), noted({ at: START, count: 5 })];
    expect([few, many].map((one) => isDue(one, START + 59_999, bounds))).toEqual([false, true]);
    expect(isDue(few, START + 60_000, bounds)).toBe(true);
  });
});
