/** What a verifier believes after each thing that it can hear, or not hear. */
import { describe, expect, it } from '@jest/globals';
import { createBelief, type Belief } from '../../../src/verifier/belief.js';
import { pauseAfter } from '../../../src/verifier/follow.js';
import { createReader } from '../../../src/verifier/feed-events.js';
import { feedEvent, type FeedEvent, type FeedEvents } from '../../../src/protocol/feed.js';

const HOUR = 3_600_000;
const FAR = 4_000_000_000_000;
const GENERATION = '3_abc';

/** A verifier whose clocks a test turns, at the end of a stream that a test writes. */
function start() {
  let [running, told, uptime] = [1_000, 50_000, 9_000];
  const clock = { now: () => ({ running, told }), elapsed: () => uptime };
  const belief = createBelief({ clock, staleMs: 5_000 });
  const read = createReader();
  return {
    belief,
    /** Time passes; asleep, one clock stands still. */
    pass: (ms: number, { asleep = false } = {}) => {
      if (!asleep) running += ms;
      told += ms;
      uptime += ms;
    },
    setClock: (ms: number) => void (told += ms),
    begin: () => belief.begin(uptime),
    say: <E extends FeedEvent>(event: E, data: FeedEvents[E]) => {
      for (const heard of read(feedEvent(event, data))) belief.take(heard);
    },
  };
}

const snapshot = ({ say }: ReturnType<typeof start>, seq = 10, generation = GENERATION) => {
  say('hello', { at: 100 });
  say('snapshot', { generation, seq });
  say('tombstones', [
    ['ended', { ended: { seq: 4, as: 'revoked' }, until: FAR }],
    ['cut', { cut: { seq: 6 }, until: FAR }],
    ['held', { lastHold: 8, until: FAR }],
  ]);
  say('complete', { generation, seq });
};
function live() {
  const verifier = start();
  verifier.begin();
  snapshot(verifier);
  verifier.say('heartbeat', { generation: GENERATION, seq: 10, at: 100 });
  return verifier;
}
const judge = (belief: Belief, seq: number, cause = 'mine', generation = GENERATION) =>
  belief.verdict({ epoch: `${generation}.${seq}`, causes: [cause, 'other'] });

describe('a belief', () => {
  it('is none before the snapshot is whole and confirmed', () => {
    const verifier = start();
    expect(judge(verifier.belief, 1)).toBe('unknown');
    verifier.begin();
    snapshot(verifier);
    expect(judge(verifier.belief, 1)).toBe('unknown');
    verifier.say('heartbeat', { generation: GENERATION, seq: 10, at: 100 });
    expect(judge(verifier.belief, 1)).toBe('alive');
  });

  it.each([
    ['ended', 9, 'dead'],
    ['cut', 5, 'dead'],
    ['cut', 6, 'alive'],
    ['held', 7, 'dead'],
    ['held', 8, 'alive'],
  ])('decides by the rules of the log: under %s, born at %d: %s', (cause, seq, verdict) => {
    expect(judge(live().belief, seq, cause)).toBe(verdict);
  });

  it.each([
    ['the same generation, not heard yet', GENERATION, 11, 'unborn'],
    ['a newer generation', '4_def', 1, 'unborn'],
    ['an older generation', '2_zzz', 10, 'dead'],
    ['another log of the same number', '3_zzz', 10, 'dead'],
    ['a generation without a number', 'zzz', 10, 'dead'],
  ])('of a credential of %s', (_, generation, seq, verdict) => {
    expect(judge(live().belief, seq, 'mine', generation)).toBe(verdict);
  });

  it('hears a birth and an end', () => {
    const { belief, say } = live();
    say('revocation', { seq: 11, cause: 'mine', tombstone: { ended: { seq: 11, as: 'completed' }, until: FAR } });
    expect([judge(belief, 10), judge(belief, 11, 'else'), belief.lastEventId()]).toEqual([
      'dead',
      'alive',
      `${GENERATION}.11`,
    ]);
  });

  it('does not take anything back when an older reading of a tombstone comes again', () => {
    const { belief, say } = live();
    say('revocation', { seq: 11, cause: 'cut', tombstone: { cut: { seq: 11 }, until: FAR } });
    say('revocation', { seq: 6, cause: 'cut', tombstone: { cut: { seq: 6 }, until: 5 } });
    expect([judge(belief, 10, 'cut'), belief.lastEventId()]).toEqual(['dead', `${GENERATION}.11`]);
  });
});

describe('a belief that may have missed something', () => {
  it.each<[string, (verifier: ReturnType<typeof start>) => void]>([
    ['an entry is left out', ({ say }) => say('revocation', { seq: 12, cause: 'a', tombstone: { until: FAR } })],
    ['the log is ahead', ({ say }) => say('heartbeat', { generation: GENERATION, seq: 11, at: 200 })],
    ['the log is behind', ({ say }) => say('heartbeat', { generation: GENERATION, seq: 9, at: 200 })],
    ['the log is another', ({ say }) => say('heartbeat', { generation: '4_x', seq: 10, at: 200 })],
    ['a snapshot ends that has not begun', ({ say }) => say('complete', { generation: GENERATION, seq: 10 })],
    ['a page comes outside of a snapshot', ({ say }) => say('tombstones', [])],
    ['a tombstone is malformed', ({ say }) => say('revocation', { seq: 11, cause: 'a', tombstone: {} as never })],
    [
      'a part of a tombstone is not understood',
      ({ say }) => say('revocation', { seq: 11, cause: 'a', tombstone: { ended: { seq: 'x' }, until: FAR } as never }),
    ],
    ['an event is no JSON', ({ say }) => say('heartbeat', undefined as never)],
  ])('is left: %s', (_, happens) => {
    const verifier = live();
    expect(() => happens(verifier)).toThrow();
  });

  it('believes nothing after a hole, and asks for everything anew', () => {
    const { belief, say } = live();
    expect(() => say('revocation', { seq: 12, cause: 'a', tombstone: { until: FAR } })).toThrow('left an entry out');
    expect([judge(belief, 1), belief.lastEventId()]).toEqual(['unknown', undefined]);
  });

  it('refuses from the begin of a snapshot until the heartbeat after it', () => {
    const verifier = live();
    verifier.begin();
    verifier.say('snapshot', { generation: '4_new', seq: 0 });
    expect(judge(verifier.belief, 1)).toBe('unknown');
    verifier.say('complete', { generation: '4_new', seq: 0 });
    expect(judge(verifier.belief, 0, 'mine', '4_new')).toBe('unknown');
  });

  it('passes over events of a newer broker', () => {
    const { belief, say } = live();
    say('weather' as FeedEvent, {} as never);
    expect(judge(belief, 1)).toBe('alive');
  });
});

describe('a belief that hears nothing', () => {
  it('is stale after five seconds', () => {
    const { belief, pass } = live();
    pass(5_000);
    expect(judge(belief, 1)).toBe('alive');
    pass(1);
    expect(judge(belief, 1)).toBe('unknown');
  });

  it('counts from the look of the broker, however late it arrives', () => {
    const { belief, pass, say } = live();
    // Something in between kept it back for four seconds: the look was one second after the first one.
    pass(5_000);
    say('heartbeat', { generation: GENERATION, seq: 10, at: 1_100 });
    pass(1_001);
    expect(judge(belief, 1)).toBe('unknown');
  });

  it('is no surer because a clock of the broker runs a little ahead', () => {
    const { belief, pass, say } = live();
    say('heartbeat', { generation: GENERATION, seq: 10, at: 100 + 2_000 });
    pass(5_000);
    expect(judge(belief, 1)).toBe('alive');
    pass(1);
    expect(judge(belief, 1)).toBe('unknown');
  });

  it('begins anew when a heartbeat is far ahead, as after a pause of a virtual machine, whose clocks stood still', () => {
    const { belief, say, begin } = live();
    expect(() => say('heartbeat', { generation: GENERATION, seq: 10, at: 100 + 2_001 })).toThrow('stood still');
    expect([judge(belief, 1), belief.lastEventId()]).toEqual(['unknown', undefined]);
    // Otherwise this one, which was held back for as long as the pause took, would pass for fresh.
    expect(() => say('heartbeat', { generation: GENERATION, seq: 10, at: 100 })).toThrow('left an entry out');
    begin();
    say('hello', { at: HOUR });
    say('snapshot', { generation: GENERATION, seq: 10 });
    say('complete', { generation: GENERATION, seq: 10 });
    say('heartbeat', { generation: GENERATION, seq: 10, at: HOUR });
    expect(judge(belief, 1)).toBe('alive');
  });

  it('goes on by what it knew when a new stream goes on from there', () => {
    const { belief, pass, say, begin } = live();
    pass(2_000);
    begin();
    say('hello', { at: 7 });
    expect(judge(belief, 1)).toBe('alive');
    pass(3_001);
    expect(judge(belief, 1)).toBe('unknown');
    say('heartbeat', { generation: GENERATION, seq: 10, at: 3_000 });
    expect(judge(belief, 1)).toBe('alive');
  });

  it('is stale when the machine wakes up, although one of its clocks stood still', () => {
    const { belief, pass } = live();
    pass(6_000, { asleep: true });
    expect(judge(belief, 1)).toBe('unknown');
  });

  it('is stale no later because somebody sets the clock back, and no longer than to the next heartbeat when it is set forward', () => {
    const { belief, pass, setClock, say } = live();
    setClock(-HOUR);
    pass(5_001);
    expect(judge(belief, 1)).toBe('unknown');
    say('heartbeat', { generation: GENERATION, seq: 10, at: 5_000 });
    setClock(2 * HOUR);
    expect(judge(belief, 1)).toBe('unknown');
    pass(1_000);
    say('heartbeat', { generation: GENERATION, seq: 10, at: 6_000 });
    expect(judge(belief, 1)).toBe('alive');
  });
});

describe('forgetting', () => {
  it('lets go of a tombstone minutes after nothing can live under it, and of no other', () => {
    const { belief, say } = live();
    say('revocation', { seq: 11, cause: 'old', tombstone: { ended: { seq: 11, as: 'revoked' }, until: 1_000_000 } });
    belief.forget(1_000_000);
    expect(belief.size()).toBe(4);
    belief.forget(1_121_000);
    expect(belief.size()).toBe(3);
    expect(judge(belief, 1, 'ended')).toBe('dead');
  });
});

it.each([
  ['again', 0, 0, 1_000],
  ['failed', 1, 0, 500],
  ['failed', 3, 0, 2_000],
  ['failed', 1_000, 0, 5_000],
  ['refused', 0, 5_000, 10_000],
] as const)(
  'a thousand that come again (%s, %d failures) are spread over the time from %d to %d',
  (end, failures, least, most) => {
    const tenth = (most - least) / 10;
    const tenths = Array.from({ length: 1_000 }, () => Math.floor((pauseAfter(end, failures) - least) / tenth));
    for (let each = 0; each < 10; each += 1) expect(tenths.filter((one) => one === each).length).toBeLessThan(200);
    expect(tenths.filter((one) => one < 0 || one > 9)).toEqual([]);
  },
);
