/** The Log half of the store contract. */
import { describe, expect, it } from '@jest/globals';
import { PUBLICATIONS_KNOWN_MS } from '../../src/domain/limits.js';
import { cause } from '../../src/domain/selector.js';
import { join, parseTombstone, type LogEntry, type Publication } from '../../src/domain/tombstone.js';
import { LogGap, type Log } from '../../src/store/store.js';
import { publication } from '../support/publication.js';
import type { Opened } from './store-contract.js';

export function describeLog(opened: Opened): void {
  const log = (): Log => opened.store.log;
  const tombstone = async (on: string) => {
    const [text] = (await log().look([on])).tombstones;
    return text === undefined ? undefined : parseTombstone(text);
  };
  const published = async (entry: Publication): Promise<LogEntry> => {
    const done = await log().publish(entry);
    if (!done) throw new Error('nothing was published');
    return done;
  };

  describe('a look', () => {
    it('at a fresh log finds no generation, nothing published, no tombstone', async () => {
      expect(await log().look(['x', 'y'])).toEqual({
        generation: undefined,
        home: expect.any(String),
        seq: 0,
        id: undefined,
        lacks: false,
        tombstones: [undefined, undefined],
      });
    });

    it('answers for each cause in the order asked', async () => {
      const [a, b] = [publication({ workload: 'a' }), publication({ workload: 'b', effect: 'cutoff' })];
      await published(a);
      await published(b);
      const { seq, tombstones } = await log().look([b.cause, 'none', a.cause, b.cause]);
      expect(seq).toBe(2);
      expect(tombstones).toEqual([`|2@${b.at}|||${b.until}`, undefined, `||1|1|${a.until}`, `|2@${b.at}|||${b.until}`]);
      expect((await log().look([])).tombstones).toEqual([]);
    });

    it('lacks what is known beyond its end, and at another home whatever has another id or is no longer kept', async () => {
      const [first, second] = [await published(publication()), await published(publication())];
      const { home, id } = await log().look([]);
      expect(id).toBe(second.id);
      const lacks = async (at: string | undefined, ...entries: { seq: number; id: string }[]) =>
        (await log().look([first.cause], { home: at, entries })).lacks;
      expect([await lacks(home, second), await lacks(undefined, first, second), await lacks(undefined)]).toEqual([
        false,
        false,
        false,
      ]);
      expect(await lacks(home, first, { seq: 3, id: 'x' })).toBe(true);
      for (const at of ['another', undefined]) {
        expect([await lacks(at, first, { seq: 2, id: 'x' }), await lacks(at, { seq: 3, id: 'x' })]).toEqual([
          true,
          true,
        ]);
      }
      expect((await log().look([first.cause], { home: 'another', entries: [first] })).tombstones).toEqual([
        expect.any(String),
      ]);
    });
  });

  describe('a generation', () => {
    it('is installed only over the one that was seen', async () => {
      expect(await log().replace('other', 'g1')).toBe(false);
      expect(await log().replace(undefined, 'g1')).toBe(true);
      expect(await log().replace(undefined, 'g2')).toBe(false);
      expect(await log().look([])).toMatchObject({ generation: 'g1', seq: 0, tombstones: [] });
      expect(await log().replace('g1', 'g2')).toBe(true);
      expect((await log().look([])).generation).toBe('g2');
    });

    it('has one winner when many install one at once', async () => {
      const won = await Promise.all(Array.from({ length: 10 }, (_, i) => log().replace(undefined, `g${i}`)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect((await log().look([])).generation).toBe(`g${won.indexOf(true)}`);
    });

    it('is not needed to publish, and leaves what is published as it is', async () => {
      const first = await published(publication());
      await log().replace(undefined, 'g1');
      expect(await log().look([first.cause])).toMatchObject({
        generation: 'g1',
        seq: 1,
        tombstones: [`||1|1|${first.until}`],
      });
    });
  });

  describe('publishing', () => {
    it('answers the entry with its number and what was there before', async () => {
      const [first, second] = [publication({ ticket: 'T-1', liftAt: 5 }), publication({ effect: 'cutoff' })];
      expect(await published(first)).toEqual({ ...first, seq: 1 });
      expect(await published(second)).toEqual({ ...second, seq: 2, before: `||1|1|${first.until}` });
    });

    it('joins into the tombstone as the domain says', async () => {
      const on = cause('task', 'tsk_x');
      const steps: Partial<Publication>[] = [
        { effect: 'hold' },
        { effect: 'hold' },
        { effect: 'lift', lifts: 1 },
        { effect: 'cutoff' },
        { effect: 'end', outcome: 'completed' },
        { effect: 'end', outcome: 'failed' },
        { effect: 'lift', lifts: 2 },
      ];
      let expected: string | undefined;
      for (const [i, step] of steps.entries()) {
        const entry = publication({ ...step, cause: on, until: 1_900_000_000_000 + i });
        expected = join(expected, entry)?.replaceAll('?', String(i + 1));
        await published(entry);
        expect((await log().look([on])).tombstones).toEqual([expected]);
      }
    });

    it('again under the same id answers the same entry and changes nothing', async () => {
      const first = publication();
      const entry = await published(first);
      await published(publication({ effect: 'cutoff' }));
      const before = await log().look([first.cause]);
      expect(await log().publish({ ...first, at: first.at + 1 })).toEqual(entry);
      expect(await log().look([first.cause])).toEqual(before);
    });

    it('is seen among twenty thousand causes that are asked at once', async () => {
      const { cause: hit } = await published(publication());
      const causes = Array.from({ length: 20_000 }, (_, index) => `c${index}`.padEnd(16, '-'));
      const { tombstones } = await log().look([...causes, hit]);
      expect([tombstones.length, tombstones.filter((text) => text !== undefined).length]).toEqual([20_001, 1]);
      expect(tombstones.at(-1)).toBeDefined();
    });

    it('is known by its id for longer than any task lives', async () => {
      const entry = await published(publication());
      opened.clock.advance(PUBLICATIONS_KNOWN_MS - 1);
      expect(await published({ ...publication(), id: entry.id })).toEqual(entry);
    });

    it('of a lift without its hold is nothing; a lift repeated under its id is the same entry', async () => {
      expect(await log().publish(publication({ effect: 'lift', lifts: 1 }))).toBeUndefined();
      const hold = await published(publication());
      expect(await log().publish(publication({ effect: 'lift', lifts: hold.seq + 1 }))).toBeUndefined();
      const lift = publication({ effect: 'lift', lifts: hold.seq });
      const lifted = await published(lift);
      expect(lifted.seq).toBe(2);
      expect(await published(lift)).toEqual(lifted);
      expect(await log().publish(publication({ effect: 'lift', lifts: hold.seq }))).toBeUndefined();
      expect((await log().look([])).seq).toBe(2);
    });

    it('by many at once to one cause loses no hold and leaves no hole', async () => {
      const entries = await Promise.all(Array.from({ length: 25 }, () => published(publication())));
      const seqs = entries.map(({ seq }) => seq).sort((a, b) => a - b);
      expect(seqs).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
      expect((await tombstone(publication().cause))?.holds).toEqual(seqs);
    });

    it('by many at once to many causes numbers them densely, in the order they are kept', async () => {
      const many = Array.from({ length: 60 }, (_, i) => publication({ workload: `w${i % 40}` }));
      const entries = await Promise.all(many.map(published));
      const stored = await log().entries(0, 100);
      expect(stored.map(({ seq }) => seq)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
      expect(stored).toEqual(entries.sort((a, b) => a.seq - b.seq));
    });

    it('the same id many times at once is one entry', async () => {
      const entry = publication();
      const all = await Promise.all(Array.from({ length: 10 }, () => published(entry)));
      expect(new Set(all.map(({ seq }) => seq))).toEqual(new Set([1]));
      expect((await log().look([])).seq).toBe(1);
    });
  });

  describe('entries', () => {
    it('come back as published, after a number, at most as many as asked', async () => {
      const entries: LogEntry[] = [];
      for (let i = 0; i < 5; i++) entries.push(await published(publication({ reason: `Grüße ${i} "🌼"` })));
      expect(await log().entries(0, 100)).toEqual(entries);
      expect(await log().entries(2, 2)).toEqual(entries.slice(2, 4));
      expect(await log().entries(5, 10)).toEqual([]);
    });

    it('after a number that was never given are a gap: the log has lost its end', async () => {
      await published(publication());
      await expect(log().entries(2, 10)).rejects.toBeInstanceOf(LogGap);
    });
  });

  describe('waiting for an entry', () => {
    it('is over at once where there is one, as soon as one is published, and after a second without', async () => {
      const waited = log().awaitEntry(0);
      await published(publication());
      expect(await waited).toBe(true);
      expect(await log().awaitEntry(0)).toBe(true);
      expect(await log().awaitEntry(1)).toBe(false);
    });

    it('holds nothing else up', async () => {
      const waiting = log().awaitEntry(0);
      expect(await Promise.race([waiting, log().look([])])).toMatchObject({ seq: 0 });
      await waiting;
    });
  });

  describe('a snapshot', () => {
    const all = async () => {
      const found = new Map<string, string>();
      for (let page = await log().snapshot(); ; page = await log().snapshot(page.next)) {
        for (const [on, text] of page.tombstones) found.set(on, text);
        if (page.next === undefined) return found;
      }
    };

    it('of an empty log is empty', async () => {
      expect(await log().snapshot()).toEqual({ tombstones: [] });
    });

    it('has every tombstone, whatever is published while it is taken', async () => {
      const many = Array.from({ length: 1_200 }, (_, i) => publication({ workload: `w${i}` }));
      await Promise.all(many.map(published));
      const later = Array.from({ length: 300 }, (_, i) => publication({ workload: `later${i}` }));
      const [found] = await Promise.all([all(), ...later.map(published)]);
      for (const { cause: on } of many) expect(found.get(on)).toBeDefined();
      expect((await all()).size).toBe(1_500);
    });
  });

  describe('forgetting', () => {
    it('removes a tombstone that is unchanged, and only that', async () => {
      const [a, b, c] = ['a', 'b', 'c'].map((workload) => publication({ workload })) as [Publication, Publication, Publication]; // prettier-ignore
      for (const entry of [a, b, c]) await published(entry);
      const [textA = '', textB = ''] = (await log().look([a.cause, b.cause])).tombstones;
      await published({ ...publication({ workload: 'b' }), effect: 'cutoff' });
      await log().forget([[a.cause, textA], [b.cause, textB], ['never', 'x']]); // prettier-ignore
      expect(await tombstone(a.cause)).toBeUndefined();
      expect((await tombstone(b.cause))?.cut?.seq).toBe(4);
      expect(await tombstone(c.cause)).toBeDefined();
      expect((await log().look([])).seq).toBe(4);
    });

    it('nothing is no error', async () => {
      await log().forget([]);
      expect((await log().look([])).seq).toBe(0);
    });
  });

  it('is healthy: a clock, a fraction, no problem', async () => {
    const health = await opened.store.health();
    expect(health.clock).toBeGreaterThan(1_600_000_000_000);
    expect(health.usedFraction).toBeGreaterThanOrEqual(0);
    expect(health.usedFraction).toBeLessThanOrEqual(1);
    expect(health.problems).toEqual([]);
  });
}
