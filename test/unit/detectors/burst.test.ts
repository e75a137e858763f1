/** The burst rule: so many events within a window. */
import { describe, expect, it } from '@jest/globals';
import { burst } from '../../../src/detectors/burst.js';
import { found, judged } from '../../support/noted.js';

const START = Date.UTC(2030, 0, 1);
const rule = burst({ threshold: 3, withinSeconds: 60 });
const after = (...seconds: number[]) => seconds.map((second) => ({ at: START + second * 1000 }));

describe('a burst', () => {
  it('is a finding when the threshold is reached, and not before', () => {
    expect(found(judged(rule, after(0, 20, 40)))).toEqual([false, false, true]);
  });

  it('is counted over a sliding time: what is older does not count', () => {
    expect(found(judged(rule, after(0, 30, 61, 92)))).toEqual([false, false, false, false]);
  });

  it('is the same whether its events are reported one by one or at once', () => {
    expect(found(judged(rule, [{ at: START, count: 3 }]))).toEqual([true]);
  });

  it('that lasts is one finding in each stretch of time, with a number of its own', () => {
    const judgements = judged(rule, after(...Array.from({ length: 18 }, (_, i) => i * 10)));
    const windows = judgements.flatMap(({ finding }) => (finding ? [finding.window] : []));
    expect(windows).toHaveLength(3);
    expect(new Set(windows).size).toBe(3);
  });

  it('is found again after a clock that was ahead is set back: what it left behind does not count, nor silence', () => {
    const ahead = after(3_600, 3_600, 3_600);
    const back = after(0, 1, 2);
    expect(found(judged(rule, [...ahead, ...back]))).toEqual([false, false, true, false, false, true]);
  });

  it('begins anew where it was interrupted', () => {
    const all = [{ at: START, count: 2 }, { at: START, count: 2, restarted: true }, ...after(1)];
    expect(found(judged(rule, all))).toEqual([false, false, true]);
  });

  it('says how many it counted, and in what time', () => {
    expect(judged(rule, [{ at: START, count: 7 }])[0]?.finding?.why).toBe('7 within 60 s');
  });

  it('is remembered in little, however many there are', () => {
    const often = burst({ threshold: 1_000_000, withinSeconds: 3_600 });
    const steady = Array.from({ length: 5_000 }, (_, i) => ({ at: START + i * 1_000, count: 50 }));
    expect(Math.max(...judged(often, steady).map(({ keep }) => keep.length))).toBeLessThan(400);
  });

  it('is forgotten by itself when it can make no finding any more', () => {
    const [only] = judged(rule, after(0));
    expect(only?.until).toBe(START + 60_000 + 120_000);
  });

  it('counts what a broker reports late at the time when it happened', () => {
    const late = { at: START, toldAt: START + 59_000, count: 2 };
    expect(found(judged(rule, [late, ...after(61)]))).toEqual([false, false]);
  });
});
