/** The feed without HTTP: what becomes of verifiers that are slow, stuck, refused or too many, and of a log that fails. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { assertFeedWithin } from '../../../src/compose/rate.js';
import { BrokerError } from '../../../src/domain/errors.js';
import { newId } from '../../../src/domain/id.js';
import { FEED_PER_MINUTE, openFeed, type Feed } from '../../../src/feed/feed.js';
import { KEPT } from '../../../src/feed/line.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { verifiersOf } from '../../../src/ledger/known-by.js';
import { openRevocationLog, type RevocationLog } from '../../../src/ledger/revocation-log.js';
import { LogGap, StoreUnavailable, type Change, type Log, type Store } from '../../../src/store/store.js';
import { handClock, type HandClock } from '../../support/clock.js';
import { publication } from '../../support/publication.js';
import { until } from '../../support/until.js';
import { modelStore } from '../../support/search/model-store.js';

let clock: HandClock;
let store: Store;
let isFull = false;
let log: RevocationLog;
let feed: Feed;
let ends: string[];
let known: [verifier: string, seconds: number][];
/** What the store does instead of listing entries, or looking, while it is set. */
let failing: Partial<Pick<Log, 'entries' | 'look' | 'snapshot'>>;

beforeEach(() => {
  [clock, ends, failing] = [handClock(), [], {}];
  store = modelStore(clock);
  const instead = <K extends keyof typeof failing>(name: K) =>
    ((...input: never[]) => (failing[name] ?? store.log[name])(...(input as [never, never]))) as Log[K];
  const mayFail = { entries: instead('entries'), look: instead('look'), snapshot: instead('snapshot') };
  log = openRevocationLog({ ...store.log, ...mayFail });
  known = [];
  feed = openFeed(ledger(), events);
});
afterEach(() => feed.close());

const ledger = (): Ledger => {
  const commit = (change: Change) =>
    isFull ? Promise.reject(new StoreUnavailable('full')) : store.records.commit(change);
  return { records: { ...store.records, commit }, log, clock };
};
const events = {
  onFollowers: () => undefined,
  onWaiting: () => undefined,
  onEnd: (reason: string) => ends.push(reason),
  onKnown: (...one: [string, number]) => known.push(one),
};

const publish = async (count = 1) => {
  for (let i = 0; i < count; i += 1) await log.publish(publication({ workload: `w${i}` }));
};
const subscribe = (over: object = {}) =>
  feed.subscribe({ party: 'lab:api', causes: [], validMs: Infinity, admit: () => Promise.resolve(), ...over });

/** A verifier that takes whatever comes, as soon as it comes. */
function reading({ texts }: Awaited<ReturnType<typeof subscribe>>) {
  const heard: string[] = [];
  let given = 0;
  void (async () => {
    for await (const text of texts) heard.push(...text.split('\n\n').filter(Boolean));
    heard.push('event: over');
  })();
  const next = async (): Promise<string> => {
    await until(() => heard.length > given, 'nothing more is said');
    return heard[given++] ?? '';
  };
  /** Returns the names of the events up to this one. */
  const upTo = async (event: string): Promise<string[]> => {
    for (const names: string[] = []; ;) {
      const name = /^event: (\w+)/m.exec(await next())?.[1] ?? '';
      names.push(name);
      if (name === event || name === 'over') return names;
    }
  };
  return { next, upTo, latest: () => heard.at(-1) ?? '' };
}

/** A verifier that takes the next piece when the test says so. */
const slowly = ({ texts }: Awaited<ReturnType<typeof subscribe>>) => texts[Symbol.asyncIterator]();

describe('a verifier that reads slowly', () => {
  it('makes nobody else wait, is told, and is lost when its place is no longer kept', async () => {
    const [slow, quick] = [slowly(await subscribe()), reading(await subscribe())];
    for (let piece = ''; !piece.includes('heartbeat');) piece = ((await slow.next()) as { value: string }).value;
    await quick.upTo('heartbeat');
    const [portions, each] = [17, Math.ceil((2 * KEPT + 1) / 17)];
    for (let portion = 0; portion < portions; portion += 1) {
      await publish(each);
      const last = (portion + 1) * each;
      await until(
        () => quick.latest().startsWith(`id: `) && quick.latest().includes(`.${last}\n`),
        `${last} is missing`,
      );
    }
    expect(await slow.next()).toEqual({ value: 'event: end\ndata: {"reason":"slow"}\n\n', done: false });
    expect([(await slow.next()).done, ends]).toEqual([true, ['slow']]);
  });

  it('has its connection closed when it takes nothing for ten seconds', async () => {
    const stream = await subscribe();
    const stuck = slowly(stream);
    await stuck.next();
    clock.advance(9_999);
    await feed.beat();
    expect(stream.cut.aborted).toBe(false);
    clock.advance(1);
    await feed.beat();
    expect(stream.cut.aborted).toBe(true);
    await stuck.return?.();
    expect(ends).toEqual(['stuck']);
  });
});

describe('a heartbeat', () => {
  it('comes after a look that went well, and after everything up to it', async () => {
    const verifier = reading(await subscribe());
    await verifier.upTo('heartbeat');
    await publish(3);
    await feed.beat();
    const heard = await verifier.upTo('heartbeat');
    expect(heard).toEqual(['revocation', 'revocation', 'revocation', 'heartbeat']);
  });

  it('comes never while the store is away, however often the broker tries', async () => {
    const verifier = reading(await subscribe());
    await verifier.upTo('heartbeat');
    const from = (await log.look([])).epoch;
    failing.look = () => Promise.reject(new StoreUnavailable('away'));
    for (let i = 0; i < 3; i += 1) await expect(feed.beat()).rejects.toThrow('away');
    const [newcomer, returned] = [reading(await subscribe()), reading(await subscribe({ from }))];
    expect([await newcomer.upTo('hello'), await returned.upTo('hello')]).toEqual([['hello'], ['hello']]);
    delete failing.look;
    await publish(1);
    expect(await returned.upTo('revocation')).toEqual(['revocation']);
    expect(await verifier.upTo('revocation')).toEqual(['revocation']);
    await feed.beat();
    expect(await verifier.upTo('heartbeat')).toEqual(['heartbeat']);
    expect((await newcomer.upTo('heartbeat')).at(-1)).toBe('heartbeat');
  });

  it('counts by a clock that nobody can set', async () => {
    const verifier = reading(await subscribe());
    await verifier.upTo('heartbeat');
    const ats: number[] = [];
    for (const jump of [0, 3_600_000]) {
      clock.advance(1_000);
      clock.jump(jump);
      await feed.beat();
      ats.push(Number(/"at":(\d+)/.exec(await verifier.next())?.[1]));
    }
    expect((ats[1] ?? 0) - (ats[0] ?? 0)).toBe(1_000);
  });
});

describe('what cannot be gone on from begins with a snapshot', () => {
  const after = async (from: { generation: string; seq: number }) => {
    const found = await reading(await subscribe({ from })).upTo('heartbeat');
    return found.slice(1);
  };

  it('another generation, an id ahead of the log, and one that is no longer kept; but not one that is', async () => {
    await publish(2);
    const { generation } = (await log.look([])).epoch;
    const whole = ['snapshot', 'tombstones', 'complete', 'heartbeat'];
    expect(await after({ generation, seq: 1 })).toEqual(['revocation', 'heartbeat']);
    expect(await after({ generation, seq: 2 })).toEqual(['heartbeat']);
    expect(await after({ generation, seq: 3 })).toEqual(whole);
    expect(await after({ generation: `${generation}x`, seq: 1 })).toEqual(whole);
  });

  it('a stream that is trimmed under those who read it', async () => {
    const verifier = reading(await subscribe());
    await verifier.upTo('heartbeat');
    failing.entries = (after, limit) =>
      after < 2 ? Promise.reject(new LogGap('trimmed')) : store.log.entries(after, limit);
    await publish(3);
    expect(await verifier.upTo('heartbeat')).toEqual(['snapshot', 'tombstones', 'complete', 'heartbeat']);
  });

  it('a log that is lost while its tombstones are read is not taken for one without any', async () => {
    await publish(1);
    const { generation } = (await log.look([])).epoch;
    failing.snapshot = () => {
      delete failing.snapshot;
      failing.look = async () => ({ ...(await modelStore(clock).log.look([])), generation: '9_later' });
      return Promise.resolve({ tombstones: [] });
    };
    const verifier = reading(await subscribe());
    const complete: string[] = [];
    for (let text = await verifier.next(); complete.length === 0; text = await verifier.next())
      if (text.includes('event: complete')) complete.push(text);
    expect(complete[0]).toContain('9_later');
    expect(complete[0]).not.toContain(generation);
  });
});

describe('a stream ends', () => {
  const refuse = () => Promise.reject(new BrokerError('access_denied', 'no'));

  it('at once when a revocation hits its caller, and not when it hits another', async () => {
    const hit = publication({ workload: 'hit' });
    let asked = 0;
    const admit = () => ((asked += 1), refuse());
    const [held, other] = [
      reading(await subscribe({ causes: [hit.cause], admit })),
      reading(await subscribe({ causes: ['other'], admit })),
    ];
    await Promise.all([held.upTo('heartbeat'), other.upTo('heartbeat')]);
    await log.publish(hit);
    expect((await held.upTo('end')).at(-1)).toBe('end');
    expect([asked, ends]).toEqual([1, ['refused'].slice(0, ends.length)]);
    expect(await other.upTo('revocation')).toEqual(['revocation']);
  });

  it('within half a minute after policy refuses it; a store that is away refuses nobody', async () => {
    let answer: () => Promise<unknown> = () => Promise.reject(new StoreUnavailable('away'));
    const verifier = reading(await subscribe({ admit: () => answer() }));
    await verifier.upTo('heartbeat');
    clock.advance(30_000);
    await feed.beat();
    expect(await verifier.upTo('heartbeat')).toEqual(['heartbeat']);
    answer = refuse;
    clock.advance(30_000);
    await feed.beat();
    expect((await verifier.upTo('end')).at(-1)).toBe('end');
    await verifier.next();
    expect(ends).toEqual(['refused']);
  });

  it.each([
    ['when its proof of identity expires', 1_000, 1_000],
    ['after ten minutes', Infinity, 600_000],
  ])('%s', async (_, validMs, passes) => {
    const verifier = reading(await subscribe({ validMs }));
    await verifier.upTo('heartbeat');
    clock.advance(passes);
    await feed.beat();
    expect((await verifier.upTo('end')).at(-1)).toBe('end');
    await verifier.next();
    expect(ends).toEqual(['renew']);
  });

  it('when the broker ends, and no other begins', async () => {
    const verifier = reading(await subscribe());
    await verifier.upTo('heartbeat');
    feed.close();
    expect(await verifier.next()).toBe('event: end\ndata: {"reason":"closing"}');
    await expect(subscribe()).rejects.toMatchObject({ code: 'temporarily_unavailable' });
  });
});

describe('an acknowledgement', () => {
  const rev = (name: string) => publication({ id: newId('rev'), workload: name, at: clock.now() });
  const acked = async (seq: number, more: object = {}) => {
    const { generation } = (await log.look([])).epoch;
    return feed.acknowledge({ verifier: 'lab:api', generation, applied: [{ seq, waitedMs: 0 }], ...more });
  };

  it('measures the time to deny, without what the verifier waited, and never as less than nothing', async () => {
    const verifier = reading(await subscribe());
    await verifier.upTo('heartbeat');
    await log.publish(rev('a'));
    await verifier.upTo('revocation');
    clock.advance(250);
    expect(await acked(1, { applied: [{ seq: 1, waitedMs: 50 }] })).toBe(1);
    expect(await acked(1, { applied: [{ seq: 1, waitedMs: 60_000 }] })).toBe(1);
    expect(known).toEqual([
      ['lab:api', 0.2],
      ['lab:api', 0],
    ]);
  });

  it('of what was never sent is refused: beyond the log, beyond a stream that is behind, of another generation', async () => {
    const slow = slowly(await subscribe({ instance: 'slow' }));
    await slow.next();
    await log.publish(rev('a'));
    await expect(acked(2)).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(acked(1, { instance: 'slow' })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(acked(1, { generation: '0_x' })).rejects.toMatchObject({ code: 'conflict' });
    expect(known).toEqual([]);
    expect(await acked(1, { instance: 'with its stream at another broker' })).toBe(1);
  });

  it('is evidence for the receipt: who was told, and when each knew; nothing of it is lost while the store is full', async () => {
    const verifiers = [reading(await subscribe({ instance: 'a' })), reading(await subscribe({ instance: 'b' }))];
    await Promise.all(verifiers.map((one) => one.upTo('heartbeat')));
    const entry = (await log.publish(rev('a')))!;
    await Promise.all(verifiers.map((one) => one.upTo('revocation')));
    clock.advance(20);
    await acked(1, { instance: 'a' });
    isFull = true;
    await expect(feed.beat()).rejects.toThrow();
    isFull = false;
    await feed.beat();
    const informed = await verifiersOf(ledger(), entry);
    expect(informed.map(({ instance, knewAt }) => [instance, knewAt])).toEqual([
      ['a', entry.at + 20],
      ['b', undefined],
    ]);
    expect(await verifiersOf(ledger(), { ...entry, id: 'another' })).toEqual([]);
  });
});

describe('who waits for the end of one thing', () => {
  const LONG_MS = 3_600_000;
  const who = (verifier = 'lab:agent', instance = 'a') => ({ verifier, instance, by: 'wait' as const });
  const [mine, other] = [publication({ workload: 'mine' }), publication({ workload: 'other' })];

  /** `over` says whether the waiting has ended. */
  async function waiting(causes = [mine.cause], wait = feed.listen(who())) {
    const state = { over: false, ended: (await wait)(causes, LONG_MS) };
    void state.ended.then(() => (state.over = true));
    return state;
  }

  it('is woken by an entry under a cause of its own, and by no other', async () => {
    const [woken, still] = [await waiting(), await waiting(['another cause'])];
    await log.publish(other);
    await log.publish(mine);
    await woken.ended;
    expect(still.over).toBe(false);
  });

  it('does not miss what is published between its look at the log and its waiting', async () => {
    const wait = feed.listen(who());
    await wait;
    const stream = reading(await subscribe());
    await stream.upTo('heartbeat');
    await log.publish(mine);
    await stream.upTo('revocation');
    await (
      await waiting([mine.cause], wait)
    ).ended;
  });

  it('is woken when the log is another one, and when the broker ends; nobody waits at a broker that ends', async () => {
    const [of, until] = [await waiting(), await waiting()];
    failing.look = async () => ({ ...(await modelStore(clock).log.look([])), generation: '9_later' });
    await feed.beat();
    await of.ended;
    delete failing.look;
    await until.ended;
    const last = await waiting();
    feed.close();
    await last.ended;
    await (
      await waiting()
    ).ended;
  });

  it('is named in the receipt of what woke it, and says there when it had cut its work', async () => {
    // A stream of the same name, which was sent nothing yet, says nothing about who waits.
    await slowly(await subscribe({ party: 'lab:agent', instance: 'a' })).next();
    const waits = [who(), who('lab:agent', 'b')].map((one) => waiting([mine.cause], feed.listen(one)));
    await Promise.all(waits);
    const entry = (await log.publish({ ...mine, id: newId('rev'), at: clock.now() }))!;
    await Promise.all((await Promise.all(waits)).map(({ ended }) => ended));
    clock.advance(30);
    const { generation } = (await log.look([])).epoch;
    await feed.acknowledge({ ...who(), generation, applied: [{ seq: entry.seq, waitedMs: 10 }] });
    await feed.beat();
    expect((await verifiersOf(ledger(), entry)).slice(1)).toEqual([
      { ...who(), knewAt: entry.at + 20 },
      who('lab:agent', 'b'),
    ]);
  });

  it('is not held up beyond two thousand of one party: they are answered at once', async () => {
    const greedy = await feed.listen(who('lab:greedy'));
    for (let i = 0; i < 2_000; i += 1) void greedy(['greed'], LONG_MS);
    await greedy(['greed'], LONG_MS);
    expect((await waiting()).over).toBe(false);
  });
});

it.each(['streams', 'acknowledgements'] as const)(
  'the %s of one party in a minute are limited, and those of others go on',
  async (what) => {
    const within = assertFeedWithin()[what];
    for (let i = 0; i < FEED_PER_MINUTE[what]; i += 1) await within('lab:greedy');
    await expect(within('lab:greedy')).rejects.toMatchObject({ code: 'slow_down' });
    await expect(within('lab:other')).resolves.toBeUndefined();
  },
);

it('one party that makes names of instances up does not take the places of others in a receipt', async () => {
  const entry = (await log.publish(publication({ id: newId('rev'), workload: 'a', at: clock.now() })))!;
  const { generation } = (await log.look([])).epoch;
  const say = (verifier: string, instance: string) =>
    feed.acknowledge({ verifier, instance, generation, applied: [{ seq: 1, waitedMs: 0 }] });
  await reading(await subscribe()).upTo('heartbeat');
  for (let i = 0; i < 1_500; i += 1) await say('lab:greedy', `made up ${i}`);
  await feed.beat();
  for (let i = 1_500; i < 1_600; i += 1) await say('lab:greedy', `made up ${i}`);
  await say('lab:other', 'pod-1');
  await feed.beat();
  const informed = await verifiersOf(ledger(), entry);
  expect(informed.filter(({ verifier }) => verifier === 'lab:greedy')).toHaveLength(500);
  expect(informed.at(-1)).toMatchObject({ verifier: 'lab:other', instance: 'pod-1' });
});

it('those who wait for the end of a credential take neither the places of verifiers in a receipt, nor the name of one in metrics', async () => {
  const entry = (await log.publish(publication({ id: newId('rev'), workload: 'a', at: clock.now() })))!;
  const { generation } = (await log.look([])).epoch;
  const say = (verifier: string, more: object) =>
    feed.acknowledge({ verifier, generation, applied: [{ seq: 1, waitedMs: 0 }], ...more });
  await reading(await subscribe()).upTo('heartbeat');
  for (const holder of ['lab:one', 'lab:two', 'lab:three'])
    for (let i = 0; i < 400; i += 1) await say(holder, { instance: `made up ${i}`, by: 'wait' });
  await say('lab:other', { instance: 'pod-1' });
  await feed.beat();
  const informed = await verifiersOf(ledger(), entry);
  expect(informed.filter(({ by }) => by === 'wait')).toHaveLength(500);
  expect(informed.at(-1)).toMatchObject({ verifier: 'lab:other', instance: 'pod-1' });
  expect(new Set(known.map(([verifier]) => verifier))).toEqual(new Set(['waiting', 'lab:other']));
});

it('one party cannot take the place of all others', async () => {
  const begin = async (party: string) => String((await slowly(await subscribe({ party })).next()).value);
  for (let i = 0; i < 2_000; i += 1) await begin('lab:greedy');
  await expect(begin('lab:greedy')).rejects.toMatchObject({ code: 'temporarily_unavailable' });
  expect(await begin('lab:other')).toContain('hello');
});

describe('the tombstones are read', () => {
  let [snapshots, looks] = [0, 0];
  beforeEach(() => {
    [snapshots, looks] = [0, 0];
    const counted: RevocationLog = {
      ...log,
      snapshot: (after) => ((snapshots += 1), log.snapshot(after)),
      look: (causes) => ((looks += 1), log.look(causes)),
    };
    feed = openFeed({ ...ledger(), log: counted }, events);
  });

  it('once for thousands that come at once, and a few looks are enough', async () => {
    await publish(3);
    const all = await Promise.all(Array.from({ length: 1_000 }, (_, i) => subscribe({ party: String(i) })));
    await Promise.all(all.map((stream) => reading(stream).upTo('heartbeat')));
    expect(snapshots).toBe(1);
    expect(looks).toBeLessThan(10);
  });

  it('once a minute for one that comes again each second without an id, and it still hears all that came since', async () => {
    await publish(1);
    for (let second = 0; second < 59; second += 1) {
      const heard = await reading(await subscribe()).upTo('heartbeat');
      expect(heard.filter((event) => event === 'revocation')).toHaveLength(second > 0 ? 1 : 0);
      if (second === 0) await publish(1);
      clock.advance(1_000);
      await feed.beat();
    }
    expect(snapshots).toBe(1);
    clock.advance(1_000);
    await feed.beat();
    const heard = await reading(await subscribe()).upTo('heartbeat');
    expect([snapshots, heard]).toEqual([2, ['hello', 'snapshot', 'tombstones', 'complete', 'heartbeat']]);
  });
});
