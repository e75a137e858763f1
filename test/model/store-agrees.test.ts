/** Random sequences of operations answer alike on the model, on LMDB and on Redis, step by step. */
import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Outcome } from '../../src/domain/task-outcome.js';
import type { Publication } from '../../src/domain/tombstone.js';
import { openLmdb } from '../../src/store/lmdb.js';
import { openRedis } from '../../src/store/redis/index.js';
import { LogGap, type Change, type Key, type Log, type Place, type Store } from '../../src/store/store.js';
import { handClock, type HandClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { modelStore } from '../support/search/model-store.js';
import { publication } from '../support/publication.js';
import { anyRedis } from '../support/redis.js';
import { PLAIN } from '../support/redis-store.js';

interface Step {
  name: string;
  run: (store: Store, now: number) => Promise<unknown>;
}

// Few names and texts, so that operations meet.
const key = fc.constantFrom<Key>('aa/1', 'aa/2', 'aa/3');
const text = fc.constantFrom('', 'x', 'y y', '{"ü":1}');
const member = fc.constantFrom('', 'a', 'b', 'ü', '🌼', '\uffee');
const score = fc.constantFrom(0, 1, 2, Number.MAX_SAFE_INTEGER);
const index = fc.constantFrom<Key>('aa/1', 'aa/i');
const cause = fc.constantFrom('c1', 'c2', 'c3');
const few = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 2 });
const perhaps = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });

const change = fc.record({
  expect: few(fc.tuple(key, perhaps(text))),
  // Milliseconds from the moment of the commit.
  put: few(fc.tuple(key, text, perhaps(fc.integer({ min: -5, max: 20 })))).map((drawn) =>
    drawn.map(([on, written, after]): [Key, string, number?] =>
      after === undefined ? [on, written] : [on, written, after],
    ),
  ),
  remove: few(key),
  index: few(fc.tuple(index, member, score)),
  unindex: few(fc.tuple(index, member)),
});

const id = fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8');
const publishing = fc.record({
  id,
  cause,
  effect: fc.constantFrom<Publication['effect']>('end', 'cutoff', 'hold', 'lift'),
  outcome: fc.constantFrom<Outcome>('completed', 'revoked'),
  lifts: fc.integer({ min: 1, max: 4 }),
  until: fc.constantFrom(1, 2, 3),
});

const ranged = fc.record(
  { after: fc.tuple(score, member), to: score, limit: fc.integer({ min: 1, max: 4 }) },
  { requiredKeys: ['limit'] },
);
const counted = fc.record({ from: score, to: score }, { requiredKeys: [] });
const known = fc.record({ isHere: fc.boolean(), entries: few(fc.record({ seq: fc.integer({ min: 1, max: 4 }), id })) });
const generation = fc.constantFrom('g1', 'g2');

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: change.map(committed) },
  { weight: 2, arbitrary: fc.array(key).map((keys) => asked('read', keys, ({ records }) => records.read(keys))) },
  {
    weight: 2,
    arbitrary: fc.tuple(index, ranged).map((by) => asked('range', by, ({ records }) => records.range(...by))),
  },
  fc.tuple(index, counted).map((by) => asked('count', by, ({ records }) => records.count(...by))),
  {
    weight: 4,
    arbitrary: publishing.map((over) => asked('publish', over, ({ log }) => log.publish(publication(over)))),
  },
  { weight: 2, arbitrary: fc.tuple(fc.array(cause), known).map((by) => asked('look', by, ({ log }) => look(log, ...by))) }, // prettier-ignore
  fc
    .tuple(fc.nat(6), fc.integer({ min: 1, max: 3 }))
    .map((by) => asked('entries', by, ({ log }) => entries(log, ...by))),
  fc.constant(asked('snapshot', [], async ({ log }) => new Map((await log.snapshot()).tombstones))),
  fc.tuple(cause, fc.boolean()).map((by) => asked('forget', by, ({ log }) => forget(log, ...by))),
  fc.tuple(perhaps(generation), generation).map((by) => asked('replace', by, ({ log }) => log.replace(...by))),
);
const turn = fc.integer({ min: 0, max: 15 });

it('a random history is the same on every store', async () => {
  const url = await anyRedis();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(turn, step), { maxLength: 60, size: 'max' }), async (steps) => {
      const clock = handClock();
      const stores = await openAll(clock, url);
      try {
        for (const [ms, { name, run }] of steps) {
          clock.advance(ms);
          const [model, ...others] = await Promise.all(stores.map((store) => run(store, clock.now())));
          for (const [i, other] of others.entries()) expect({ [name]: other, on: i }).toEqual({ [name]: model, on: i });
        }
      } finally {
        await Promise.all(stores.map((store) => store.close()));
      }
    }),
    { numRuns: 100, plugins: [fc.interruptAfterTimeLimit(6_000)] },
  );
});

async function openAll(clock: HandClock, url: string): Promise<Store[]> {
  const redis = { ...PLAIN, place: { url }, prefix: `test-${randomUUID()}:`, clock };
  const directory = temporaryDirectory();
  return [modelStore(clock), await openLmdb({ directory, clock, role: 'broker' }), await openRedis(redis)];
}

function asked(verb: string, about: unknown, run: Step['run']): Step {
  return { name: `${verb} ${JSON.stringify(about)}`, run };
}

function committed(drawn: Required<Omit<Change, 'durable'>>): Step {
  return asked('commit', drawn, async ({ records }, now) => {
    const put = drawn.put.map(([on, written, after]): [Key, string, number?] =>
      after === undefined ? [on, written] : [on, written, now + after],
    );
    const isEmpty = Object.values(drawn).every((part) => part.length === 0);
    return isEmpty || records.commit({ ...drawn, put });
  });
}

/** The home itself is each store's own. */
async function look(log: Log, causes: string[], { isHere, entries }: { isHere: boolean; entries: Place[] }) {
  const { home } = await log.look([]);
  const known = { home: isHere ? home : undefined, entries };
  return { ...(await log.look(causes, known)), home: 'its own' };
}

const entries = (log: Log, after: number, limit: number): Promise<unknown> =>
  log.entries(after, limit).catch((error: unknown) => {
    if (error instanceof LogGap) return 'gap';
    throw error;
  });

/** As it was seen, or as it was not. */
async function forget(log: Log, on: string, asSeen: boolean): Promise<void> {
  const [tombstone = 'none'] = (await log.look([on])).tombstones;
  await log.forget([[on, asSeen ? tombstone : `${tombstone}0`]]);
}
