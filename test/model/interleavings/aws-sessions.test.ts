/**
 * G1 and G8 for AWS sessions, in every order of minting, ending and pushing, with a death of the minting broker at any step:
 * a session that AWS made and the ledger holds dead is denied after the next push, and no answer claims what was not pushed.
 */
import { describe, expect, it } from '@jest/globals';
import type { Effect, Selector } from '../../../src/domain/selector.js';
import { alive, findCredential } from '../../../src/ledger/credentials.js';
import { expireReservations } from '../../../src/credentials/expire-reservations.js';
import { revoke } from '../../../src/ledger/revoke.js';
import type { Records, Store } from '../../../src/store/store.js';
import {
  everyInterleaving,
  searchClock,
  type Scenario,
  type Search,
  type Stepped,
} from '../../support/search/interleave.js';
import { memoryAws, ROLE } from '../../support/sessions/memory-aws.js';
import { modelStore } from '../../support/search/model-store.js';
import { FENCED_SECONDS, sessionBroker } from '../../support/brokers/sessions.js';

const AGENT = 'lab:red-1';

/**
 * The store with fewer steps, where their order changes nothing. Enforcement records have one writer, and nobody here reads audit
 * entries or handles. The broker that pushes reads all records in one step: what it misses, it would also miss by reading earlier.
 */
function withFewSteps({ records }: Store, { store, act }: Stepped, reads: 'one by one' | 'at once'): Store {
  let moment: Promise<void> | undefined;
  const isPlain = (key = ''): boolean => /^enforce|audit|handle/.test(key);
  const few: Records = {
    ...store.records,
    read: (keys) => (reads === 'at once' || isPlain(keys[0]) ? records.read(keys) : store.records.read(keys)),
    commit: (change) => (isPlain(change.put?.[0]?.[0]) ? records.commit(change) : store.records.commit(change)),
    async range(index, by) {
      moment ??= act('all that is listed', () => (moment = undefined));
      await moment;
      return records.range(index, by);
    },
  };
  return { ...store, records: few };
}

interface Play {
  selector: (task: string) => Selector;
  effect: Effect;
  /** The task is opened by the exchange itself. */
  fresh?: boolean;
}

/** Returns a store with an open task, whose roles have the first cutoff of this log in force. */
async function prepare() {
  const clock = searchClock();
  const store = modelStore(clock);
  const broker = sessionBroker({ store, clock, aws: memoryAws(clock), node: 'before' });
  await broker.work();
  clock.advance(FENCED_SECONDS * 1_000);
  await broker.work();
  const taskId = await broker.open(AGENT);
  await broker.reconciler.releaseLeases();
  clock.advance(1);
  await sessionBroker({ store, clock, aws: memoryAws(clock) }).work();
  return { now: clock.now(), state: store.snapshotState(), taskId };
}

async function orders(
  { selector, effect, fresh }: Play,
  search: Search = {},
): Promise<{ runs: number; lived: number }> {
  let [lived, died] = [0, 0];
  const { now, state, taskId } = await prepare();
  const runs = await everyInterleaving((): Scenario => {
    const clock = searchClock(now);
    const store = modelStore(clock, state);
    const aws = memoryAws(clock);
    const opener = sessionBroker({ store, clock, aws });
    const brokerIn = (stepped: Stepped, reads: 'one by one' | 'at once' = 'one by one') =>
      sessionBroker({ store: withFewSteps(store, stepped, reads), clock, aws });
    return {
      store,
      processes: {
        agent: (stepped) => brokerIn(stepped).mint(AGENT, fresh ? {} : { taskId }),
        soc: (stepped) =>
          revoke(brokerIn(stepped).deps.ledger, { selector: selector(taskId), effect, reason: 'test', actor: 'soc' }),
        pusher: (stepped) => brokerIn(stepped, 'at once').reconciler.run(clock.now()),
      },
      async check() {
        const { ledger } = opener.deps;
        const [id] = [...store.snapshotState().records.keys()].flatMap((key) => /crd_\w+/.exec(key)?.[0] ?? []);
        if (id === undefined) return;
        const said = (await opener.end({ id }))?.effect;
        clock.advance(5_000);
        if (said !== 'pending' && aws.made.has(id) && !(await lives(id)) && aws.reads(id))
          throw new Error(`G8: it is said to be ${String(said)}, and nothing was pushed to the role`);
        clock.advance(62_000);
        await expireReservations(ledger);
        await opener.reconciler.run(clock.now());
        clock.advance(5_000);
        const found = await findCredential(ledger, id);
        if (!found) throw new Error('G1: the ledger does not know it');
        if (!aws.made.has(id)) return;
        if ((await lives(id)) !== aws.reads(id)) throw new Error('the ledger and the role do not agree');
        if (await lives(id)) lived += 1;
        else died += 1;
      },
    };

    async function lives(id: string): Promise<boolean> {
      const found = await findCredential(opener.deps.ledger, id);
      return found !== undefined && (await alive(opener.deps.ledger, [found])).length > 0;
    }
  }, search);
  if (died === 0) throw new Error('nothing died: the play proves nothing');
  return { runs, lived };
}

const endOfTask: Play = { selector: (value) => ({ kind: 'task', value }), effect: 'end' };
const holdOnTask: Play = { selector: (value) => ({ kind: 'task', value }), effect: 'hold' };
const cutoff: Play = { selector: () => ({ kind: 'workload', value: AGENT }), effect: 'cutoff' };
const cutoffOfRole: Play = { selector: () => ({ kind: 'target', value: ROLE }), effect: 'cutoff' };

describe('in every order of minting, pushing and ending, ledger and role agree in the end, and no answer says more than is so', () => {
  it.each([
    ['a hold on its task', holdOnTask],
    ['a cutoff of its role', cutoffOfRole],
  ])('with %s', async (_, play) => {
    expect((await orders(play)).runs).toBeGreaterThan(250);
  });

  it.each([
    ['the end of its task', endOfTask],
    ['a cutoff of its workload', cutoff],
  ])('with %s, where the minting broker may die at any step', async (_, play) => {
    expect((await orders(play, { mortal: ['agent'] })).runs).toBeGreaterThan(1_000);
  });

  it('with a cutoff of its workload, after which what is born with a task of its own lives', async () => {
    expect((await orders({ ...cutoff, fresh: true })).lived).toBeGreaterThan(0);
  });
});
