/** Tallies that are not in the store yet. */
import { describe, expect, it } from '@jest/globals';
import { subjectOf, type Tally } from '../../../src/detectors/rule.js';
import { createTallies } from '../../../src/detectors/tallies.js';
import type { TaskCharge } from '../../../src/domain/charge.js';

const task = (id: string): TaskCharge => ({
  kind: 'task',
  id,
  of: { kind: 'workload', id: 'lab:agent', issuer: 'lab' },
});
const nameOf = ({ charge }: Tally): string => subjectOf(charge).slice('task:'.length);
const subjects = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `s${from + i}`);

function started(most = 10) {
  let dropped = 0;
  const tallies = createTallies(most, () => void (dropped += 1));
  const note = (...names: string[]) => names.forEach((name) => (tallies.of('denial-burst', task(name), 0).count += 1));
  const taken = (atMost = 100) => tallies.take(() => true, atMost).map((one) => `${nameOf(one)}:${one.count}`);
  return { tallies, note, taken, dropped: () => dropped };
}

describe('tallies', () => {
  it('add up what is noted of the same subject, apart for each detector and time', () => {
    const { tallies } = started();
    tallies.of('denial-burst', task('x'), 0).count += 1;
    tallies.of('denial-burst', task('x'), 5).count += 1;
    tallies.of('canary-used', task('x'), 0).count += 1;
    tallies.of('mint-spike', task('x'), 0, 1).count += 1;
    tallies.of('mint-spike', task('x'), 0, 2).count += 1;
    const taken = tallies.take(() => true, 100);
    expect(taken.map(({ count, at }) => [count, at])).toEqual([
      [2, 5],
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    expect(taken.map(nameOf)).toEqual(['x', 'x', 'x', 'x']);
  });

  it('drop the oldest when there are too many, also after some were taken out and put back', () => {
    const { tallies, note, taken, dropped } = started();
    note(...subjects(0, 25));
    expect([tallies.size, dropped()]).toEqual([10, 15]);
    const [first, second] = tallies.take(() => true, 2);
    if (!first || !second) throw new Error('two of them');
    tallies.putBack(first);
    tallies.putBack(second);
    note(...subjects(25, 30));
    expect(taken()).toEqual([
      ...subjects(22, 25).map((s) => `${s}:1`),
      's15:1',
      's16:1',
      ...subjects(25, 30).map((s) => `${s}:1`),
    ]);
    note(...subjects(30, 45));
    expect(taken()).toEqual(subjects(35, 45).map((s) => `${s}:1`));
    expect(dropped()).toBe(25);
  });

  it('leave what is not due, and what is too much for one turn', () => {
    const { tallies, note, taken } = started();
    note('a', 'b', 'c', 'd');
    expect(tallies.take((one) => nameOf(one) !== 'a', 2).map(nameOf)).toEqual(['b', 'c']);
    expect(taken()).toEqual(['a:1', 'd:1']);
  });

  it('add what is put back to what was noted since, unless that began anew', () => {
    const { tallies, note } = started();
    note('a', 'b');
    const before = tallies.take(() => true, 2);
    note('a', 'b');
    Object.assign(tallies.of('denial-burst', task('b'), 0), { restarted: true, count: 0 });
    for (const noted of before) tallies.putBack(noted);
    expect(tallies.take(() => true, 2).map(({ count }) => count)).toEqual([2, 0]);
  });
});
