/** Fitness: a broker mints only while it knows that its store writes, has room, and agrees on the time. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { createFitness, type Fitness } from '../../../src/health/fitness.js';
import { watchClock } from '../../../src/health/watched-clock.js';
import { StoreUnavailable, type Change, type Records, type StoreHealth } from '../../../src/store/store.js';
import { handClock, type HandClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';

let clock: HandClock;
let health: () => Promise<StoreHealth>;
let commit: Records['commit'];
let fitness: Fitness;

const healthy = (over: Partial<StoreHealth> = {}): Promise<StoreHealth> =>
  Promise.resolve({ clock: clock.now(), usedFraction: 0.1, problems: [], ...over });

beforeEach(() => {
  clock = handClock();
  const { records } = modelStore(clock);
  health = () => healthy();
  commit = (change) => records.commit(change);
  const store = { health: () => health(), records: { ...records, commit: (change: Change) => commit(change) } };
  fitness = createFitness({ store, clock: watchClock(clock, 5_000), node: 'one', agreedTime: 'raise', patienceMs: 20 });
});

/** What the caller heard last, when nothing could be minted. */
let heard: string;

const mints = (): boolean => {
  try {
    fitness.assertFitToMint();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'temporarily_unavailable', details: { retry: 'later', retryAfterSeconds: 1 } });
    heard = (error as Error).message;
    return false;
  }
};

const failing = async () => (await fitness.check()).filter(({ ok }) => !ok).map(({ name, reason }) => [name, reason]);

it('mints nothing and sweeps nothing before it has looked', () => {
  expect([mints(), fitness.maySweep()]).toEqual([false, false]);
});

it('mints and sweeps on a sound store, for five seconds after each look', async () => {
  expect(await failing()).toEqual([]);
  expect([mints(), fitness.maySweep()]).toEqual([true, true]);
  clock.advance(5_000);
  expect([mints(), fitness.maySweep()]).toEqual([true, true]);
  clock.advance(1);
  expect([mints(), fitness.maySweep()]).toEqual([false, false]);
});

it('a clock that jumps back makes the last look unknown, too', async () => {
  await fitness.check();
  clock.jump(-5_001);
  expect(mints()).toBe(false);
});

describe('a clock that was set', () => {
  it('is not trusted until it agrees again with the time that has passed, though broker and store read the same one', async () => {
    await fitness.check();
    clock.jump(86_400_000);
    expect(await failing()).toEqual([['clock', 'the clock was set: it moved 86400 s beside the time that passed']]);
    clock.advance(59_999);
    await fitness.check();
    expect([mints(), fitness.maySweep()]).toEqual([false, false]);
    clock.jump(-86_400_000);
    expect(await failing()).toEqual([]);
    expect([mints(), fitness.maySweep()]).toEqual([true, true]);
  });

  it('and then keeps its pace for a minute is trusted again, but nothing is forgotten by it', async () => {
    await fitness.check();
    const before = clock.now();
    clock.jump(86_400_000);
    await fitness.check();
    clock.advance(60_000);
    expect(await failing()).toEqual([]);
    expect([mints(), fitness.maySweep()]).toEqual([true, true]);
    expect(fitness.surelyPast()).toBe(before + 60_000);
  });

  it('is not trusted before the next look either', async () => {
    await fitness.check();
    clock.jump(5_001);
    expect([mints(), fitness.maySweep()]).toEqual([false, false]);
    clock.jump(-10_002);
    expect([mints(), fitness.maySweep()]).toEqual([false, false]);
  });

  it('may drift as far as clocks may be apart', async () => {
    clock.jump(5_000);
    expect(await failing()).toEqual([]);
  });
});

describe('a broker does not mint', () => {
  it('while the clocks are further apart than allowed; then it does not sweep either', async () => {
    for (const apart of [5_001, -5_001]) {
      health = () => healthy({ clock: clock.now() + apart });
      expect(await failing()).toEqual([['clock', 'the clocks of broker and store are 5.001 s apart']]);
      expect([mints(), fitness.maySweep()]).toEqual([false, false]);
    }
    health = () => healthy({ clock: clock.now() + 5_000 });
    expect(await failing()).toEqual([]);
    expect(mints()).toBe(true);
  });

  it('on a store nine tenths full; but the sweep goes on: the power to revoke outlives everything', async () => {
    health = () => healthy({ usedFraction: 0.9 });
    expect(await failing()).toEqual([['space', 'the store is 90 % full']]);
    expect([mints(), fitness.maySweep()]).toEqual([false, true]);
  });

  it('on a store that takes no writes', async () => {
    commit = () => Promise.reject(new StoreUnavailable('the disk is full'));
    expect(await failing()).toEqual([['write', 'the disk is full']]);
    expect([mints(), fitness.maySweep()]).toEqual([false, true]);
  });

  it('on a store that names a problem', async () => {
    health = () => healthy({ problems: ['a replica is missing', 'it evicts'] });
    expect(await failing()).toEqual([['store', 'a replica is missing; it evicts']]);
    expect(mints()).toBe(false);
    expect(heard).toBe('The broker cannot mint safely now. These of its checks fail: store.');
  });

  it('on a store that does not answer at all', async () => {
    health = () => new Promise(() => undefined);
    commit = () => new Promise(() => undefined);
    expect((await failing()).map(([name]) => name)).toEqual(['store', 'clock', 'write']);
    expect([mints(), fitness.maySweep()]).toEqual([false, false]);
  });
});
