/** The Records half of the store contract. */
import { describe, expect, it } from '@jest/globals';
import type { Change, Key } from '../../src/store/store.js';
import type { Opened } from './store-contract.js';

export function describeRecords(opened: Opened): void {
  const commit = (change: Change) => opened.store.records.commit(change);
  const read = async (key: Key) => (await opened.store.records.read([key]))[0];

  describe('records', () => {
    it('are read in the order asked, across shards, undefined where absent', async () => {
      await commit({ put: [['aa/1', 'one']] });
      await commit({ put: [['bb/2', 'two']] });
      expect(await opened.store.records.read(['bb/2', 'aa/none', 'aa/1', 'bb/2', 'cc/1'])).toEqual([
        'two',
        undefined,
        'one',
        'two',
        undefined,
      ]);
      expect(await opened.store.records.read([])).toEqual([]);
    });

    it('keep any text: empty, large, beyond ASCII', async () => {
      const texts = ['', ' ', 'a b', 'x'.repeat(64 * 1024), 'grüße 🌼 \u0000 \n', '{"a":"日本"}', '42 is no expiry'];
      for (const text of texts) {
        expect(await commit({ put: [['aa/text', text]] })).toBe(true);
        expect(await read('aa/text')).toBe(text);
        expect(await commit({ expect: [['aa/text', text]], put: [['aa/text', 'next']] })).toBe(true);
      }
    });

    it('keep keys and members beyond ASCII apart', async () => {
      await commit({ put: [['aa/ü', '1'], ['aa/u', '2']], index: [['aa/🌼', 'ü', 1], ['aa/🌼', 'u', 1]] }); // prettier-ignore
      expect(await opened.store.records.read(['aa/ü', 'aa/u'])).toEqual(['1', '2']);
      expect(await opened.store.records.range('aa/🌼', { limit: 9 })).toEqual([['u', 1], ['ü', 1]]); // prettier-ignore
    });

    it('can share a name with an index', async () => {
      await commit({ put: [['aa/x', 'text']], index: [['aa/x', 'member', 1]] });
      expect(await read('aa/x')).toBe('text');
      expect(await opened.store.records.count('aa/x')).toBe(1);
      await commit({ remove: ['aa/x'] });
      expect(await opened.store.records.count('aa/x')).toBe(1);
    });

    it('are gone once removed; removing what is absent is no error', async () => {
      await commit({ put: [['aa/1', 'one']] });
      expect(await commit({ remove: ['aa/1', 'aa/never'] })).toBe(true);
      expect(await read('aa/1')).toBeUndefined();
    });

    it('read as absent from the very millisecond they expire, and not before', async () => {
      await commit({ put: [['aa/1', 'one', opened.clock.now() + 1000]] });
      opened.clock.advance(999);
      expect(await read('aa/1')).toBe('one');
      opened.clock.advance(1);
      expect(await read('aa/1')).toBeUndefined();
    });

    it('put again take the new expiry, or none', async () => {
      await commit({ put: [['aa/1', 'one', opened.clock.now() + 1000], ['aa/2', 'two', opened.clock.now() + 1000]] }); // prettier-ignore
      await commit({ put: [['aa/1', 'one'], ['aa/2', 'two', opened.clock.now() + 9000]] }); // prettier-ignore
      opened.clock.advance(2000);
      expect(await opened.store.records.read(['aa/1', 'aa/2'])).toEqual(['one', 'two']);
    });

    it('put already expired read as absent', async () => {
      await commit({ put: [['aa/1', 'one', opened.clock.now() - 86_400_000]] });
      expect(await read('aa/1')).toBeUndefined();
      expect(await commit({ expect: [['aa/1', undefined]], put: [['aa/1', 'new']] })).toBe(true);
      expect(await read('aa/1')).toBe('new');
    });
  });

  describe('a commit', () => {
    it('compares by value', async () => {
      await commit({ put: [['aa/1', 'one']] });
      expect(await commit({ expect: [['aa/1', 'One']], put: [['aa/1', 'x']] })).toBe(false);
      expect(await commit({ expect: [['aa/1', undefined]], put: [['aa/1', 'x']] })).toBe(false);
      expect(await commit({ expect: [['aa/none', '']], put: [['aa/1', 'x']] })).toBe(false);
      expect(await read('aa/1')).toBe('one');
      expect(await commit({ expect: [['aa/1', 'one'], ['aa/none', undefined]], put: [['aa/1', 'x']] })).toBe(true); // prettier-ignore
      expect(await read('aa/1')).toBe('x');
    });

    it('takes an expired record for absent', async () => {
      await commit({ put: [['aa/1', 'one', opened.clock.now() + 10]] });
      opened.clock.advance(10);
      expect(await commit({ expect: [['aa/1', 'one']], put: [['aa/1', 'x']] })).toBe(false);
      expect(await commit({ expect: [['aa/1', undefined]], put: [['aa/1', 'x']] })).toBe(true);
    });

    it('writes nothing at all when one expectation fails', async () => {
      await commit({ put: [['aa/1', 'one'], ['aa/2', 'two']], index: [['aa/i', 'm', 1]] }); // prettier-ignore
      const failed = await commit({
        expect: [['aa/1', 'one'], ['aa/2', 'not two']], // prettier-ignore
        put: [['aa/1', 'x'], ['aa/3', 'x']], // prettier-ignore
        remove: ['aa/2'],
        index: [['aa/i', 'n', 2]],
        unindex: [['aa/i', 'm']],
      });
      expect(failed).toBe(false);
      expect(await opened.store.records.read(['aa/1', 'aa/2', 'aa/3'])).toEqual(['one', 'two', undefined]);
      expect(await opened.store.records.range('aa/i', { limit: 9 })).toEqual([['m', 1]]);
    });

    it('that only expects answers whether it holds', async () => {
      expect(await commit({ expect: [['aa/1', undefined]] })).toBe(true);
      expect(await commit({ expect: [['aa/1', 'x']] })).toBe(false);
    });

    it('across two shards, or with a name too long, is refused before anything is written', async () => {
      const long: Key = `aa/${'x'.repeat(2000)}`;
      await expect(commit({ put: [['aa/1', 'x'], ['bb/1', 'x']] })).rejects.toThrow('one shard'); // prettier-ignore
      await expect(commit({ expect: [['bb/1', undefined]], put: [['aa/1', 'x']] })).rejects.toThrow('one shard');
      await expect(commit({ put: [['aa/1', 'x']], index: [['bb/i', 'm', 1]] })).rejects.toThrow('one shard');
      await expect(commit({ put: [['aa/1', 'x'], [long, 'x']] })).rejects.toThrow('too long'); // prettier-ignore
      await expect(commit({ put: [['aa/1', 'x']], index: [['aa/i', long, 1]] })).rejects.toThrow('too long');
      expect(await opened.store.records.read(['aa/1', 'bb/1'])).toEqual([undefined, undefined]);
    });

    it('has one winner when many race with the same expectation', async () => {
      const racers = Array.from({ length: 20 }, (_, i) => commit({ expect: [['aa/1', undefined]], put: [['aa/1', `${i}`]] })); // prettier-ignore
      const outcomes = await Promise.all(racers);
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      expect(await read('aa/1')).toBe(String(outcomes.indexOf(true)));
    });

    it('loses no update of a counter that many raise', async () => {
      const raise = async (): Promise<void> => {
        const text = await read('aa/n');
        const done = await commit({ expect: [['aa/n', text]], put: [['aa/n', String(Number(text ?? 0) + 1)]] });
        if (!done) await raise();
      };
      await Promise.all(Array.from({ length: 20 }, raise));
      expect(await read('aa/n')).toBe('20');
    });
  });

  describe('an index', () => {
    const add = (...members: [string, number][]) => commit({ index: members.map(([member, score]) => ['aa/i', member, score]) }); // prettier-ignore

    it('is sorted by score, then by the bytes of the member', async () => {
      await add(['b', 2], ['a', 2], ['ab', 2], ['z', 1], ['🌼', 2], ['\uffee', 2], ['Z', 2], ['', 2]);
      const members = (await opened.store.records.range('aa/i', { limit: 99 })).map(([member]) => member);
      expect(members).toEqual(['z', '', 'Z', 'a', 'ab', 'b', '\uffee', '🌼']);
    });

    it('holds a member once: adding it again moves it', async () => {
      await add(['a', 1], ['b', 2]);
      await add(['a', 3]);
      expect(await opened.store.records.range('aa/i', { limit: 9 })).toEqual([['b', 2], ['a', 3]]); // prettier-ignore
      expect(await opened.store.records.count('aa/i')).toBe(2);
    });

    it('forgets a member; one that is not there is no error', async () => {
      await add(['a', 1], ['b', 2]);
      await commit({ unindex: [['aa/i', 'a'], ['aa/i', 'none'], ['aa/none', 'a']] }); // prettier-ignore
      expect(await opened.store.records.range('aa/i', { limit: 9 })).toEqual([['b', 2]]);
      await add(['a', 5]);
      expect(await opened.store.records.count('aa/i')).toBe(2);
    });

    it('is read in pages without loss or repetition, through any number of equal scores', async () => {
      const members = Array.from({ length: 60 }, (_, i): [string, number] => [`m${String(i).padStart(2, '0')}`, i < 50 ? 7 : i]); // prettier-ignore
      await add(...members);
      const seen: [string, number][] = [];
      for (;;) {
        const last = seen.at(-1);
        const page = await opened.store.records.range('aa/i', { ...(last && { after: [last[1], last[0]] }), limit: 7 });
        if (page.length === 0) break;
        seen.push(...page);
      }
      expect(seen).toEqual(members);
    });

    it('goes on after a member that has meanwhile gone or moved', async () => {
      await add(['a', 1], ['b', 1], ['c', 1], ['d', 2]);
      await commit({ unindex: [['aa/i', 'b']], index: [['aa/i', 'a', 9]] });
      expect(await opened.store.records.range('aa/i', { after: [1, 'a'], limit: 9 })).toEqual([['c', 1], ['d', 2], ['a', 9]]); // prettier-ignore
      expect(await opened.store.records.range('aa/i', { after: [1, 'b'], limit: 2 })).toEqual([['c', 1], ['d', 2]]); // prettier-ignore
      expect(await opened.store.records.range('aa/i', { after: [9, 'a'], limit: 2 })).toEqual([]);
    });

    it('is bounded by `to`, inclusive, and by `limit`', async () => {
      await add(['a', 1], ['b', 2], ['c', 2], ['d', 3]);
      expect(await opened.store.records.range('aa/i', { to: 2, limit: 9 })).toEqual([['a', 1], ['b', 2], ['c', 2]]); // prettier-ignore
      expect(await opened.store.records.range('aa/i', { to: 2, limit: 2 })).toEqual([['a', 1], ['b', 2]]); // prettier-ignore
      expect(await opened.store.records.range('aa/i', { after: [2, 'b'], to: 2, limit: 9 })).toEqual([['c', 2]]);
      expect(await opened.store.records.range('aa/i', { after: [3, ''], to: 2, limit: 9 })).toEqual([]);
      expect(await opened.store.records.range('aa/i', { to: 0, limit: 9 })).toEqual([]);
    });

    it('counts between bounds, both inclusive', async () => {
      await add(['a', 1], ['b', 2], ['c', 2], ['d', 3]);
      const count = (by?: { from?: number; to?: number }) => opened.store.records.count('aa/i', by);
      expect(await Promise.all([count(), count({ from: 2 }), count({ to: 2 }), count({ from: 2, to: 2 }), count({ from: 4 })])).toEqual([4, 3, 3, 2, 0]); // prettier-ignore
      expect(await opened.store.records.count('aa/none')).toBe(0);
    });

    it('keeps scores exact up to 2^53', async () => {
      const most = Number.MAX_SAFE_INTEGER;
      await add(['a', most - 1], ['b', most], ['c', 0]);
      expect(await opened.store.records.range('aa/i', { limit: 9 })).toEqual([['c', 0], ['a', most - 1], ['b', most]]); // prettier-ignore
      expect(await opened.store.records.range('aa/i', { after: [most - 1, 'a'], limit: 9 })).toEqual([['b', most]]);
      expect(await opened.store.records.count('aa/i', { from: most })).toBe(1);
    });

    it('is kept apart from one whose name it begins', async () => {
      await commit({ index: [['aa/i', 'x', 1], ['aa/ix', 'y', 1], ['aa/i/', 'z', 1]] }); // prettier-ignore
      expect(await opened.store.records.range('aa/i', { limit: 9 })).toEqual([['x', 1]]);
      expect(await opened.store.records.count('aa/ix')).toBe(1);
    });
  });
}
