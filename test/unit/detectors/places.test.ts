/** The places rule: more places than are allowed. */
import { describe, expect, it } from '@jest/globals';
import { places } from '../../../src/detectors/places.js';
import { found, judged } from '../../support/noted.js';

const START = Date.UTC(2030, 0, 1);
const rule = places({ threshold: 2, withinSeconds: 60 });
const at = (second: number, ...named: string[]) => ({ at: START + second * 1000, places: new Set(named) });

describe('places', () => {
  it('are a finding when there are more than allowed', () => {
    expect(found(judged(rule, [at(0, 'a'), at(1, 'b'), at(2, 'c')]))).toEqual([false, false, true]);
  });

  it('are found again after a clock that was ahead is set back', () => {
    expect(found(judged(rule, [at(3_600, 'a', 'b', 'c'), at(0, 'x', 'y'), at(1, 'z')]))).toEqual([true, false, true]);
  });

  it('count once, however often they are named', () => {
    expect(found(judged(rule, [at(0, 'a', 'b'), at(1, 'a'), at(2, 'b'), at(3, 'a', 'b')]))).toEqual(
      Array(4).fill(false),
    );
  });

  it('count for the time since they were named last', () => {
    expect(found(judged(rule, [at(0, 'a'), at(30, 'b'), at(61, 'c')]))).toEqual([false, false, false]);
    expect(found(judged(rule, [at(0, 'a'), at(30, 'b'), at(50, 'a'), at(61, 'c')])).at(-1)).toBe(true);
  });

  it('make one finding in each stretch of time', () => {
    const everywhere = Array.from({ length: 60 }, (_, i) => at(i * 2, `place-${i}`));
    expect(found(judged(rule, everywhere)).filter(Boolean)).toHaveLength(2);
  });

  it('are remembered up to the one that is too many', () => {
    const [only] = judged(rule, [at(0, ...Array.from({ length: 100 }, (_, i) => `place-${i}`))]);
    expect(only?.finding).toBeDefined();
    expect((JSON.parse(only?.keep ?? '') as { places: unknown[] }).places).toHaveLength(3);
  });
});
