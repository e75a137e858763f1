/** Liveness: a restart is asked for only where it may help. */
import { beforeEach, expect, it } from '@jest/globals';
import { createLiveness, type Liveness } from '../../../src/health/liveness.js';
import type { Store } from '../../../src/store/store.js';
import { handClock, type HandClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';

let clock: HandClock;
let isReplica: boolean | 'away';
let liveness: Liveness;
let store: Store;

beforeEach(() => {
  [clock, isReplica] = [handClock(), false];
  const model = modelStore(clock);
  liveness = createLiveness(clock);
  store = liveness.watch({
    ...model,
    health: async () => {
      if (isReplica === 'away') throw new Error('away');
      return { ...(await model.health()), isReplica };
    },
  });
});

/** The store says what it is, once a second. */
async function passes(seconds: number): Promise<string | undefined> {
  for (let passed = 0; passed < seconds; passed += 1) {
    clock.advance(1_000);
    await store.health().catch(() => undefined);
  }
  return liveness.reason();
}

it('a broker that cannot get away from a replica within half a minute is not live', async () => {
  isReplica = true;
  expect(await passes(30)).toBeUndefined();
  expect(await passes(1)).toBe('the store has been a replica for 30 s');
});

it('a broker whose store is a primary again is live', async () => {
  isReplica = true;
  await passes(60);
  isReplica = false;
  expect(await passes(1)).toBeUndefined();
  isReplica = true;
  expect(await passes(30)).toBeUndefined();
});

it('a broker whose store is away is live: a restart brings back no store', async () => {
  isReplica = 'away';
  expect(await passes(300)).toBeUndefined();
  isReplica = true;
  await passes(60);
  isReplica = 'away';
  expect(await passes(6)).toBeUndefined();
});
