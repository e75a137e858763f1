/** The session with which the broker revokes: it is still there when STS gives no new one, and is never used after its end. */
import { describe, expect, it } from '@jest/globals';
import { renewingSession } from '../../../src/minters/aws/revoker-session.js';
import { handClock } from '../../support/clock.js';

const lifetimeMs = 3_600_000;

function setUp() {
  const clock = handClock();
  const openings: ((outcome: string | Error) => void)[] = [];
  const session = renewingSession(
    clock,
    lifetimeMs,
    () =>
      new Promise<string>((resolve, reject) => {
        openings.push((outcome) => (typeof outcome === 'string' ? resolve(outcome) : reject(outcome)));
      }),
  );
  return { clock, openings, session };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a renewing session', () => {
  it('is opened once, for all who wait', async () => {
    const { session, openings } = setUp();
    const waiting = [session.current(), session.current()];
    openings[0]!('a');
    expect(await Promise.all(waiting)).toEqual(['a', 'a']);
    expect(openings).toHaveLength(1);
  });

  it('is renewed from half its life on, in the background: nobody waits', async () => {
    const { session, openings, clock } = setUp();
    const first = session.current();
    openings[0]!('a');
    await first;
    clock.advance(lifetimeMs / 2 - 1);
    expect([await session.current(), openings.length]).toEqual(['a', 1]);
    clock.advance(1);
    expect([await session.current(), await session.current(), openings.length]).toEqual(['a', 'a', 2]);
    openings[1]!('b');
    await settled();
    expect([await session.current(), openings.length]).toEqual(['b', 2]);
  });

  it('is used on where it cannot be renewed, asked for again each time, and not once it is as good as dead', async () => {
    const { session, openings, clock } = setUp();
    const first = session.current();
    openings[0]!('a');
    await first;
    clock.advance(lifetimeMs / 2);
    for (const time of [1, 2]) {
      expect(await session.current()).toBe('a');
      openings[time]!(new Error('no'));
      await settled();
    }
    clock.advance(lifetimeMs / 2 - 60_000);
    const last = session.current();
    openings[3]!(new Error('still no'));
    await expect(last).rejects.toThrow('still no');
  });

  it('lives from before it was asked for: an opening that took long makes it no younger', async () => {
    const { session, openings, clock } = setUp();
    const first = session.current();
    clock.advance(lifetimeMs / 2);
    openings[0]!('a');
    await first;
    await session.current();
    expect(openings).toHaveLength(2);
  });

  it('is opened anew once it is dropped; dropping what was replaced does nothing', async () => {
    const { session, openings } = setUp();
    const first = session.current();
    openings[0]!('a');
    session.drop(await first);
    const second = session.current();
    openings[1]!('b');
    expect(await second).toBe('b');
    session.drop('a');
    expect(await session.current()).toBe('b');
  });
});
