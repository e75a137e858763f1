/**
 * G5 in every order in which the log is lost, old tombstones are forgotten, or deadlines pass.
 * Each run checks every guarantee of support/search/witness.ts.
 */
import { describe, expect, it } from '@jest/globals';
import { forgettableAt } from '../../../src/domain/liveness.js';
import { cause, type Selector } from '../../../src/domain/selector.js';
import type { Clock } from '../../../src/domain/time.js';
import { forget } from '../../../src/ledger/forget.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import type { Store } from '../../../src/store/store.js';
import { sweep } from '../../../src/tasks/sweep.js';
import { AGENT, bareBroker, OPERATOR, proven } from '../../support/brokers/stubbed.js';
import type { HandClock } from '../../support/clock.js';
import type { ModelState, ModelStore } from '../../support/search/model-store.js';
import { orders } from '../../support/search/orders.js';
import { completeTask } from '../../support/verbs.js';

const HOUR_MS = 3_600_000;
const workload: Selector = { kind: 'workload', value: AGENT };

describe('in every order, nothing that was alive before the log was lost is alive afterwards', () => {
  const disasters: Record<string, (store: ModelStore, older: ModelState) => void> = {
    'is wiped': (store) => store.wipe(),
    'moves to another home': (store) => store.moveHome(),
    'comes back from an old backup': (store, older) => {
      store.rewind(older);
      store.moveHome();
    },
  };
  it.each(Object.entries(disasters))('when the log %s', async (_, disaster) => {
    await orders(
      ({ exchange, ask, act, store, task, witness }) => {
        const older = store.snapshotState();
        return {
          agent: exchange({ taskId: task }),
          server: ask(),
          disaster: act(async (_broker, { act: step, span }) => {
            await step('disaster', () => disaster(store, older));
            witness.deaths.push({ selector: { kind: 'all', value: '' }, effect: 'cutoff', span, seq: 0 });
          }),
        };
      },
      { lossy: true },
    );
  });
});

describe('in every order of forgetting', () => {
  it.each([
    ['three minutes', 180_000],
    ['eight hours and three minutes', 8 * HOUR_MS + 180_000],
  ])('an end that is forgotten after %s never matters again', async (passing, ms) => {
    await orders(({ exchange, act, clock, store, task, witness }) => ({
      agent: exchange({ taskId: task }),
      time: act(async (_, { act: step, span }) => {
        const request = { taskId: task, outcome: 'completed', requestId: 'r' } as const;
        await step('the task completes', () =>
          completeTask(bareBroker(store, clock), proven(OPERATOR, clock), request),
        );
        witness.deaths.push({ selector: { kind: 'task', value: task }, effect: 'end', span, seq: 1 });
        await step(`${passing} pass`, () => passAndForget(store, clock, ms));
      }),
    }));
  });

  it.each([
    ['three minutes', 180_000],
    ['two hours', 2 * HOUR_MS],
    ['a day and three minutes', 24 * HOUR_MS + 180_000],
  ])('a cutoff that is forgotten after %s never matters again', async (passing, ms) => {
    await orders(({ exchange, revoke, act, clock, store, task }) => ({
      agent: exchange({ taskId: task }),
      soc: revoke(workload, 'cutoff'),
      time: act((_, { act: step }) => step(`${passing} pass`, () => passAndForget(store, clock, ms))),
    }));
  });

  it('a tombstone that grows while it is being forgotten stays', async () => {
    await orders(
      ({ revoke, act, clock, store }) => {
        void store.log.publish(oldCutoff(clock));
        clock.advance(25 * HOUR_MS);
        return { soc: revoke(workload, 'cutoff'), time: act(({ ledger }) => forget(ledger, clock.now())) };
      },
      {
        async also({ store, witness }) {
          const [tombstone] = (await openRevocationLog(store.log).look([own])).on([own]);
          expect(tombstone?.cut?.seq).toBe(witness.deaths[0]?.seq);
        },
      },
    );
  });

  it('nothing lives on after the sweep has ended its task', async () => {
    await orders(({ exchange, act, clock, task, store }) => ({
      agent: exchange({ taskId: task }),
      sweeper: act(async ({ ledger }, { act: step }) => {
        await step('four hours pass', () => clock.advance(4 * HOUR_MS));
        await sweep(withWholeRanges(ledger, store));
      }),
    }));
  });

  it('two sweeps end a task once', async () => {
    await orders(
      ({ act, clock, store }) => {
        clock.advance(4 * HOUR_MS);
        const sweeper = act(({ ledger }) => sweep(withWholeRanges(ledger, store)));
        return { one: sweeper, other: sweeper };
      },
      { also: async ({ store }) => expect(await store.log.entries(0, 10)).toHaveLength(1) },
    );
  });
});

const own = cause('workload', AGENT);

const oldCutoff = (clock: Clock) => ({
  ...{ id: 'rev_old', cause: own, selector: workload, effect: 'cutoff' as const, reason: 'long ago', actor: 'soc' },
  ...{ at: clock.now(), until: forgettableAt('workload', clock.now()) },
});

async function passAndForget(store: Store, clock: HandClock, ms: number): Promise<void> {
  clock.advance(ms);
  await forget(bareBroker(store, clock).ledger, clock.now());
}

/** The sweep reads 64 shards of the due index. They count as one step here: their order among themselves changes nothing. */
const withWholeRanges = (ledger: Ledger, { records }: Store): Ledger => ({
  ...ledger,
  records: { ...ledger.records, range: (index, by) => records.range(index, by) },
});
