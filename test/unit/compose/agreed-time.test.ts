/** The way back after a wrong time was agreed on: whatever fails on the way, nothing that had expired by that time lives again. */
import { beforeEach, expect, it } from '@jest/globals';
import { takeBackAgreedTime } from '../../../src/compose/agreed-time.js';
import { raiseAgreedTime, readAgreedTime } from '../../../src/health/agreed-time.js';
import { assertLiveCaller } from '../../../src/authorization/caller.js';
import { forget } from '../../../src/ledger/forget.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import type { Store } from '../../../src/store/store.js';
import { AGENT, wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { proven } from '../../support/brokers/stubbed.js';
import { refusal } from '../../support/refusal-code.js';

const HOUR_MS = 3_600_000;
const SKEW_MS = 5_000;
let broker: WholeBroker;

beforeEach(async () => {
  broker = await wholeBroker();
});

const agreedOn = async () => (await readAgreedTime(broker.store))?.value.time;
const agreeOn = async (time: number) => raiseAgreedTime(broker.store, await readAgreedTime(broker.store), time);
const takeBack = (store: Store = broker.store) => {
  const { deps, clock } = broker;
  const signing = () => Promise.resolve({ audit: deps.audit });
  const ledger = { log: openRevocationLog(store.log) };
  return takeBackAgreedTime({ store, system: clock, ledger, config: deps.settings, signing }, 'an hour ahead');
};

/** The store, whose writes fail from the nth on, as when the process is killed there. */
function failingFrom(nth: number): Store {
  const { records, log, ...rest } = broker.store;
  let writes = 0;
  const counted = async <T>(write: () => Promise<T>): Promise<T> => {
    if (++writes >= nth) throw new Error('killed');
    return write();
  };
  return {
    ...rest,
    records: { ...records, commit: (change) => counted(() => records.commit(change)) },
    log: {
      ...log,
      publish: (publication) => counted(() => log.publish(publication)),
      replace: (seen, generation) => counted(() => log.replace(seen, generation)),
    },
  };
}

it('removes the time agreed on last: wherever it is killed before, that time stands, and it can be repeated', async () => {
  let nth = 0;
  do {
    broker = await wholeBroker();
    const { clock, deps } = broker;
    const issued = await broker.exchange();
    await agreeOn(clock.now());
    clock.jump(-20 * HOUR_MS);
    const proof = proven(AGENT, clock);
    nth += 1;
    const killed = await takeBack(failingFrom(nth)).catch(() => 'killed');
    if (killed === 'killed') {
      expect(await agreedOn()).toBe(clock.now() + 20 * HOUR_MS);
      await takeBack();
    }
    expect(await agreedOn()).toBeUndefined();
    expect(await refusal(assertLiveCaller(deps, proof))).toBe('access_denied');
    // By now the cutoffs are forgotten, and what was minted ahead has not expired.
    clock.advance(10 * HOUR_MS);
    await forget(deps.ledger, clock.now());
    expect([await broker.isActive(issued), await broker.isActive(await broker.exchange())]).toEqual([false, true]);
    if (killed === undefined) break;
  } while (nth < 20);
  expect(nth).toBeGreaterThan(4);
});

it.each([
  ['no time was agreed on', undefined, 0, /No time was agreed on yet/],
  ['that time is not ahead', SKEW_MS, 0, /is not ahead of this clock/],
  ['host and store do not agree', HOUR_MS, -SKEW_MS - 1, /this host and of the store are 5\.001 s apart/],
])('refuses when %s, and nothing dies', async (_, aheadMs, storeAheadMs, why) => {
  const { clock, store } = broker;
  const issued = await broker.exchange();
  if (aheadMs !== undefined) await agreeOn(clock.now() + aheadMs);
  const health = async () => ({ ...(await store.health()), clock: clock.now() + storeAheadMs });
  await expect(takeBack({ ...store, health })).rejects.toThrow(why);
  expect(await broker.isActive(issued)).toBe(true);
  expect(await agreedOn()).toBe(aheadMs === undefined ? undefined : clock.now() + aheadMs);
});

it('says so when a broker that is still ahead raises that time meanwhile', async () => {
  const { clock, store } = broker;
  await agreeOn(clock.now() + HOUR_MS);
  const replace: Store['log']['replace'] = async (...args) => {
    await agreeOn(clock.now() + 2 * HOUR_MS);
    return store.log.replace(...args);
  };
  await expect(takeBack({ ...store, log: { ...store.log, replace } })).rejects.toThrow(/its clock is still ahead/);
  expect(await agreedOn()).toBe(clock.now() + 2 * HOUR_MS);
});
