/** The session the broker revokes with: there when it cannot be had, and never used dead. */
import { describe, expect, it } from '@jest/globals';
import { keepHot } from '../../../src/minters/aws/keep-hot.js';
import { handClock } from '../../support/clock.js';

const lifetimeMs = 3_600_000;

function setUp() {
  const clock = handClock();
  const openings: ((outcome: string | Error) => void)[] = [];
  const hot = keepHot(
    clock,
    lifetimeMs,
    () =>
      new Promise<string>((resolve, reject) => {
        openings.push((outcome) => (typeof outcome === 'string' ? resolve(outcome) : reject(outcome)));
      }),
  );
  return { clock, openings, hot };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('what is kept hot', () => {
  it('is opened once, for all who wait', async () => {
    const { hot, openings } = setUp();
    const waiting = [hot.current(), hot.current()];
    openings[0]!('a');
    expect(await Promise.all(waiting)).toEqual(['a', 'a']);
    expect(openings).toHaveLength(1);
  });

  it('is renewed from half its life on, in the background: nobody waits', async () => {
    const { hot, openings, clock } = setUp();
    const first = hot.current();
    openings[0]!('a');
    await first;
    clock.advance(lifetimeMs / 2 - 1);
    expect([await hot.current(), openings.length]).toEqual(['a', 1]);
    clock.advance(1);
    expect([await hot.current(), await hot.current(), openings.length]).toEqual(['a', 'a', 2]);
    openings[1]!('b');
    await settled();
    expect([await hot.current(), openings.length]).toEqual(['b', 2]);
  });

  it('is used on where it cannot be renewed, asked for again each time, and not once it is as good as dead', async () => {
    const { hot, openings, clock } = setUp();
    const first = hot.current();
    openings[0]!('a');
    await first;
    clock.advance(lifetimeMs / 2);
    for (const time of [1, 2]) {
      expect(await hot.current()).toBe('a');
      openings[time]!(new Error('no'));
      await settled();
    }
    clock.advance(lifetimeMs / 2 - 60_000);
    const last = hot.current();
    openings[3]!(new Error('still no'));
    await expect(last).rejects.toThrow('still no');
  });

  it('lives from before it was asked for: an opening that took long makes it no younger', async () => {
    const { hot, openings, clock } = setUp();
    const first = hot.current();
    clock.advance(lifetimeMs / 2);
    openings[0]!('a');
    await first;
    await hot.current();
    expect(openings).toHaveLength(2);
  });

  it('is opened anew once it is dropped; dropping what was replaced does nothing', async () => {
    const { hot, openings } = setUp();
    const first = hot.current();
    openings[0]!('a');
    hot.drop(await first);
    const second = hot.current();
    openings[1]!('b');
    expect(await second).toBe('b');
    hot.drop('a');
    expect(await hot.current()).toBe('b');
  });
});
