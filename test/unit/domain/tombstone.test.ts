/** Tombstones join: whatever the order, nothing dead comes back, and a hold goes only by its own lift. */
import fc from 'fast-check';
import { describe, expect, it, test } from '@jest/globals';
import { hangsOn, partyCauses } from '../../../src/domain/hangs-on.js';
import { HARD_LIMITS } from '../../../src/domain/limits.js';
import {
  death,
  forgettableAt,
  formatEpoch,
  parseEpoch,
  refusesBirth,
  refusesProof,
  type Epoch,
} from '../../../src/domain/liveness.js';
import { causeOf, SELECTOR_KINDS } from '../../../src/domain/selector.js';
import type { Outcome } from '../../../src/domain/task-outcome.js';
import { timesProblem } from '../../../src/identity/token.js';
import {
  grown,
  join,
  parseTombstone,
  SEQ,
  type Deadly,
  type Publication,
  type Tombstone,
} from '../../../src/domain/tombstone.js';

type Act = Pick<Publication, 'effect'> & { until: number; outcome?: Outcome; lifts?: number };

/** Publishes one after the other, as a store does; answers the tombstone after each. */
function history(acts: readonly Act[]): Tombstone[] {
  let text: string | undefined;
  return acts.map((act, index) => {
    const publication: Publication = {
      id: '',
      cause: '',
      selector: { kind: 'all', value: '' },
      at: index,
      reason: '',
      actor: '',
      ...act,
    };
    const joined = join(text, publication);
    if (joined !== undefined) text = joined.replaceAll(SEQ, String(index + 1));
    return text === undefined ? { holds: [], until: 0 } : parseTombstone(text);
  });
}

const until = fc.nat(1_000);
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    effect: fc.constant('end' as const),
    outcome: fc.constantFrom<Outcome>('completed', 'failed', 'expired'),
    until,
  }),
  fc.record({ effect: fc.constant('cutoff' as const), until }),
  fc.record({ effect: fc.constant('hold' as const), until }),
  fc.record({ effect: fc.constant('lift' as const), lifts: fc.nat(8), until }),
);
const acts = fc.array(act, { maxLength: 8 });
const born = (seq: number): Epoch => ({ generation: 'g', seq });

describe('a history of publications', () => {
  test('never revives: what is dead after some of it is dead after all of it', () =>
    fc.assert(
      fc.property(acts, fc.nat(8), fc.constantFrom('task' as const, 'credential' as const), (all, seq, kind) => {
        const deaths = history(all).map((tombstone) => death(kind, born(seq), 'g', [tombstone]));
        const first = deaths.findIndex((one) => one !== undefined);
        if (first >= 0) expect(deaths.slice(first)).not.toContain(undefined);
      }),
      { numRuns: 500 },
    ));

  test('never loses a hold: it stands until it is lifted by its own number', () =>
    fc.assert(
      fc.property(acts, (all) => {
        const standing = new Set<number>();
        for (const [index, { effect, lifts = 0 }] of all.entries()) {
          if (effect === 'hold') standing.add(index + 1);
          if (effect === 'lift') standing.delete(lifts);
          expect(new Set(history(all.slice(0, index + 1)).at(-1)?.holds)).toEqual(standing);
        }
      }),
    ));

  test('says in any order the same about who may be born and who of those born before is dead', () =>
    fc.assert(
      fc.property(
        fc.array(
          act.filter(({ effect }) => effect !== 'lift'),
          { minLength: 1, maxLength: 6 },
        ),
        (all) => {
          const one = history(all).at(-1)!;
          const other = history([...all].reverse()).at(-1)!;
          for (const kind of ['task', 'credential'] as const) {
            expect(death(kind, born(0), 'g', [one]) === undefined).toBe(
              death(kind, born(0), 'g', [other]) === undefined,
            );
          }
          expect(refusesBirth([one])).toBe(refusesBirth([other]));
          expect(one.until).toBe(other.until);
        },
      ),
    ));

  test('is what its readings say together, in whatever order and however often they are heard', () => {
    const readings = acts.filter((all) => all.length > 0).map((all) => history(all));
    const heard = readings.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 })),
    );
    fc.assert(
      fc.property(heard, ([all, those]) => {
        const whole = grown({ until: 0 }, all.at(-1)!);
        expect(those.reduce<Deadly>(grown, { until: 0 })).toEqual(whole);
        for (const seq of all.keys())
          expect(death('credential', born(seq), 'g', [whole])).toEqual(
            death('credential', born(seq), 'g', all.slice(-1)),
          );
      }),
    );
  });

  test('never shortens how long it must be remembered', () =>
    fc.assert(
      fc.property(acts, (all) => {
        const untils = history(all).map((tombstone) => tombstone.until);
        expect(untils).toEqual([...untils].sort((a, b) => a - b));
      }),
    ));

  it('two holds need two lifts, and lifting what is not held publishes nothing', () => {
    const hold: Act = { effect: 'hold', until: 1 };
    const lift = (lifts: number): Act => ({ effect: 'lift', lifts, until: 1 });
    expect(refusesBirth(history([hold, hold, lift(1)]).slice(-1))).toBe('held');
    expect(refusesBirth(history([hold, hold, lift(1), lift(2)]).slice(-1))).toBeUndefined();
    expect(history([hold, lift(7)]).at(-1)).toEqual(history([hold]).at(-1));
  });

  it('keeps the first end, and the last cutoff', () => {
    const all: Act[] = [
      { effect: 'end', outcome: 'failed', until: 1 },
      { effect: 'end', outcome: 'completed', until: 1 },
      { effect: 'cutoff', until: 1 },
      { effect: 'cutoff', until: 1 },
    ];
    expect(history(all).at(-1)).toMatchObject({ ended: { seq: 1, as: 'failed' }, cut: { seq: 4, at: 3 } });
  });
});

describe('the text of a tombstone', () => {
  it.each(['', '||||', 'x', '1:done||||', '1:ended|||1|-1', '1:ended|||1|1\n', '?||||1', '|1|||1'])(
    '%j is not trusted',
    (text) => expect(() => parseTombstone(text)).toThrow('malformed'),
  );
});

const at = (seq: number): Tombstone => ({ cut: { seq, at: 1_000 }, holds: [], until: 0 });

describe('liveness', () => {
  it('strictly greater: what was born at the number of a cutoff has seen it', () => {
    expect(death('credential', born(5), 'g', [at(5)])).toBeUndefined();
    expect(death('credential', born(4), 'g', [at(5)])?.as).toBe('revoked');
  });

  it('another generation is dead, whatever the tombstones say', () => {
    expect(death('task', born(9), 'h', [])).toEqual({ seq: 0, as: 'revoked' });
    expect(death('task', born(9), 'g', [])).toBeUndefined();
  });

  it('a pause kills credentials born before it, and tasks survive', () => {
    const paused: Tombstone = { lastHold: 5, holds: [], until: 0 };
    expect(death('credential', born(4), 'g', [paused])?.as).toBe('revoked');
    expect(death('credential', born(5), 'g', [paused])).toBeUndefined();
    expect(death('task', born(4), 'g', [paused])).toBeUndefined();
  });

  it('an end kills whenever one was born, and of several deaths the first gives its name', () => {
    const ended: Tombstone = { ended: { seq: 2, as: 'completed' }, holds: [], until: 0 };
    expect(death('task', born(9), 'g', [ended])?.as).toBe('completed');
    expect(death('task', born(0), 'g', [at(1), ended])?.as).toBe('revoked');
    expect(death('task', born(0), 'g', [undefined, at(3), ended])?.as).toBe('completed');
  });

  it('nothing is born under an end or a hold; a cutoff lets new things be born', () => {
    expect(refusesBirth([undefined, { ended: { seq: 1, as: 'failed' }, holds: [], until: 0 }])).toBe('ended');
    expect(refusesBirth([{ holds: [3], until: 0 }])).toBe('held');
    expect(refusesBirth([at(3), undefined])).toBeUndefined();
  });

  it('a proof issued before a cutoff, at it, within the skew, or without a date has no verbs', () => {
    const asked = (issuedAt: number | undefined) => refusesProof([at(1), undefined], issuedAt, 5);
    expect([999, 1_000, 1_005, undefined].map(asked)).toEqual(['cut', 'cut', 'cut', 'cut']);
    expect(asked(1_006)).toBeUndefined();
    expect(refusesProof([undefined], undefined, 5)).toBeUndefined();
    expect(refusesProof([{ holds: [1], until: 0 }], 9_999, 5)).toBe('held');
  });

  const HOUR_MS = 3_600_000;
  const workload = { kind: 'workload', id: 'a:x', issuer: 'a', owner: 'o', subject: 'a:s' } as const;
  const person = { kind: 'person', id: 'p:x', issuer: 'p', session: 'p:s', claims: { email: 'x@y.example' } } as const;
  const named = hangsOn({ id: '', target: '' }, { id: '', lineage: [], workload, principal: person });
  const ofParties = new Set([...partyCauses(workload), ...partyCauses(person)]);
  const refuseProofs = new Set(named.filter((one) => ofParties.has(causeOf(one))).map(({ kind }) => kind));

  it('nothing may be forgotten before the longest life under it is over, and two minutes more', () => {
    expect([...refuseProofs].toSorted()).toEqual(['issuer', 'owner', 'principal', 'session', 'subject', 'workload']);
    for (const kind of SELECTOR_KINDS) {
      if (kind === 'drill') continue; // Nothing that the broker issues hangs on one.
      const hours = kind === 'credential' ? 1 : refuseProofs.has(kind) || kind === 'run' ? 24 : 8;
      expect([kind, forgettableAt(kind, 0)]).toEqual([kind, hours * HOUR_MS + 120_000]);
      expect(forgettableAt(kind, 0, 60_000)).toBe(180_000);
    }
  });

  it('a cutoff of a party is remembered until every proof that it refuses is too old for any issuer, whatever the skew', () => {
    const skewMs = HARD_LIMITS.clockSkewSeconds * 1000;
    for (const kind of refuseProofs) {
      const forgotten = forgettableAt(kind, 0);
      const rules = { skewMs, proofAgeSeconds: HARD_LIMITS.proofAgeSeconds };
      expect(timesProblem({ issuedAt: skewMs, expiresAt: Infinity }, forgotten, rules)).toMatch(/^is too old/);
    }
  });

  test('an epoch is read as it was written, and nothing else is an epoch', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w-]+$/), fc.nat(), (generation, seq) => {
        expect(parseEpoch(formatEpoch({ generation, seq }))).toEqual({ generation, seq });
      }),
    );
    for (const text of ['', '.', 'g.', '.1', 'g.1.2', 'g.-1', 'g 1', 'g.1\n'])
      expect(() => parseEpoch(text)).toThrow('malformed');
  });
});
