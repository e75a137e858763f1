/** The search leaves out orders that end like one that it runs, and no others: else every test of test/model would prove less. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Key, Store } from '../../../src/store/store.js';
import { everyInterleaving, searchClock, type Stepped } from '../../support/search/interleave.js';
import { modelStore } from '../../support/search/model-store.js';

type Action = { read: Key } | { write: Key } | { atOnce: [Action, Action] };

const KEYS: Key[] = ['k/a', 'k/b', 'k/c'];
const key = fc.constantFrom(...KEYS);
const single = fc.oneof(
  key.map((read): Action => ({ read })),
  key.map((write): Action => ({ write })),
);
const action = fc.oneof(
  { weight: 4, arbitrary: single },
  fc.tuple(single, single).map((atOnce): Action => ({ atOnce })),
);
const programs = fc.oneof(
  fc.tuple(fc.array(action, { minLength: 1, maxLength: 2 }), fc.array(action, { minLength: 1, maxLength: 2 })),
  fc.tuple(fc.tuple(single), fc.tuple(single), fc.tuple(single)),
);

/** What a process writes says what it has read, so two orders end alike only where nobody can tell them apart. Returns what it read. */
async function act(store: Store, known: readonly string[], of: Action): Promise<string[]> {
  if ('atOnce' in of) return (await Promise.all(of.atOnce.map((one) => act(store, known, one)))).flat();
  if ('read' in of) return [`${of.read}=${String((await store.records.read([of.read]))[0])}`];
  await store.records.commit({ put: [[of.write, `[${known.join()}]`, Infinity]] });
  return [];
}

/** The same store, where each step touches everything: nothing is left out then. */
function undivided({ store, act: step }: Stepped, whole: Store): Store {
  const { records } = whole;
  return {
    ...store,
    records: {
      ...records,
      read: (keys) => step('read', () => records.read(keys)),
      commit: (change) => step('commit', () => records.commit(change)),
    },
  };
}

async function endings(processes: readonly (readonly Action[])[], how: { reduced: boolean; mortal: string[] }) {
  const found: string[] = [];
  const checked = await everyInterleaving(
    () => {
      const store = modelStore(searchClock());
      const known = processes.map((): string[] => []);
      const run = (actions: readonly Action[], index: number) => async (stepped: Stepped) => {
        const own = how.reduced ? stepped.store : undivided(stepped, store);
        for (const one of actions) known[index]?.push(...(await act(own, known[index], one)));
      };
      return {
        store,
        processes: Object.fromEntries(processes.map((actions, index) => [`p${index}`, run(actions, index)])),
        check: async () => {
          found.push(JSON.stringify([known, await store.records.read(KEYS)]));
        },
      };
    },
    { mortal: how.mortal, runsMax: 1_000_000 },
  );
  return { checked, found: [...new Set(found)].sort() };
}

describe('the search through orders', () => {
  it.each([
    ['where nobody dies', []],
    ['where one may die', ['p0']],
    ['where either may die', ['p0', 'p1']],
  ])('finds every ending that any order has, %s', async (_, mortal) => {
    let [few, all] = [0, 0];
    await fc.assert(
      fc.asyncProperty(programs, async (processes) => {
        const reduced = await endings(processes, { reduced: true, mortal });
        const whole = await endings(processes, { reduced: false, mortal });
        expect(reduced.found).toEqual(whole.found);
        few += reduced.checked;
        all += whole.checked;
      }),
      { numRuns: 20 },
    );
    expect(few).toBeLessThan(all / 2);
  });
});
