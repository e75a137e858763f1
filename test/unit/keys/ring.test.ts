/** The life of a signing key as pure arithmetic: when a step is due, and what it does. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dueStep, needsFreshKey, sealedKeysOf, stepped } from '../../../src/keys/ring.js';

const HOUR = 3_600_000;
const MONTH = 30 * 24 * HOUR;
const START = 1_000_000;

let made = 0;
const fresh = () => ({ kid: `k${(made += 1)}`, sealed: 'sealed' });
const start = () => stepped(undefined, 'create', START, { kid: 'first', sealed: 'sealed' });

describe('the ring of signing keys', () => {
  it('starts with a key that signs at once', () => {
    expect(dueStep(undefined, START, MONTH)).toBe('create');
    expect(start()).toMatchObject({ current: { kid: 'first', from: START }, retiring: [] });
    expect(dueStep(start(), START, MONTH)).toBeUndefined();
  });

  it('announces the next key an hour before it signs, and not earlier', () => {
    expect(dueStep(start(), START + MONTH - HOUR - 1, MONTH)).toBeUndefined();
    expect(dueStep(start(), START + MONTH - HOUR, MONTH)).toBe('announce');
    const announced = stepped(start(), 'announce', START + MONTH - HOUR, fresh());
    expect(announced.current.kid).toBe('first');
    expect(dueStep(announced, START + MONTH - 1, MONTH)).toBeUndefined();
    expect(dueStep(announced, START + MONTH, MONTH)).toBe('promote');
  });

  it('announces a whole hour ahead even when rotation is long overdue or faster than that', () => {
    const late = START + 10 * MONTH;
    expect(stepped(start(), 'announce', late, fresh()).next?.from).toBe(late + HOUR);
    expect(dueStep(start(), START, HOUR / 2)).toBe('announce');
  });

  it('keeps a retired key published while anything it signed can live, and forgets it then', () => {
    const announced = stepped(start(), 'announce', START, fresh());
    const promoted = stepped(announced, 'promote', START + HOUR, undefined);
    const until = START + HOUR + 3_600_000 + 120_000;
    expect(promoted.retiring).toEqual([{ kid: 'first', sealed: 'sealed', until }]);
    expect(dueStep(promoted, until - 1, MONTH)).toBeUndefined();
    expect(dueStep(promoted, until, MONTH)).toBe('forget');
    expect(stepped(promoted, 'forget', until, undefined).retiring).toEqual([]);
  });

  it('an emergency makes a fresh key current at once, never the announced one, and keeps the old one published', () => {
    const announced = stepped(start(), 'announce', START, { kid: 'announced', sealed: 'sealed' });
    const replaced = stepped(announced, 'replace', START + 1, { kid: 'fresh', sealed: 'sealed' });
    expect(sealedKeysOf(replaced).map(({ kid }) => kid)).toEqual(['fresh', 'first']);
    const distrusted = stepped(announced, 'distrust', START + 1, { kid: 'fresh', sealed: 'sealed' });
    expect(sealedKeysOf(distrusted).map(({ kid }) => kid)).toEqual(['fresh']);
  });

  it('however time passes: a key is published an hour before it signs, and outlives its last signature', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 * 24 * HOUR }), { maxLength: 60 }), (waits) => {
        const published = new Map<string, number>([['first', -Infinity]]);
        const signed = new Map<string, number>();
        let ring = start();
        let now = START;
        for (const wait of waits) {
          now += wait;
          for (let step = dueStep(ring, now, 24 * HOUR); step; step = dueStep(ring, now, 24 * HOUR)) {
            ring = stepped(ring, step, now, needsFreshKey(step) ? fresh() : undefined);
            for (const { kid } of sealedKeysOf(ring)) if (!published.has(kid)) published.set(kid, now);
          }
          expect(published.get(ring.current.kid)!).toBeLessThanOrEqual(now - HOUR);
          signed.set(ring.current.kid, now);
          const stored = sealedKeysOf(ring).map(({ kid }) => kid);
          for (const [kid, at] of signed) if (now < at + 3_600_000) expect(stored).toContain(kid);
        }
      }),
    );
  });
});
