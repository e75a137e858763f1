/** One kind of record over the store port: compare-and-set, revisions, expiry, and what is committed with it. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { record } from '../../../src/store/record.js';
import type { Change, Key, Store } from '../../../src/store/store.js';
import { handClock, type HandClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';

const key = (name: string): Key => `shard/${name}`;
const counters = record(z.strictObject({ revision: z.int(), count: z.int() }), key);
const notes = record(z.strictObject({ text: z.string(), until: z.int().optional() }), key, {
  expiresAt: ({ until }) => until,
  indexes: ({ text }, before) => (before ? {} : { index: [['shard/notes', text, 1]] }),
});

let clock: HandClock;
let store: Store;
beforeEach(() => {
  clock = handClock();
  store = modelStore(clock);
});

const textAt = async (name: string) => (await store.records.read([key(name)]))[0];

describe('A record with a revision', () => {
  it('begins at 0, and every write raises it, whatever its writer says', async () => {
    const first = await counters.write(store, 'a', undefined, { count: 1 });
    expect(first?.value).toEqual({ revision: 0, count: 1 });
    const second = await counters.write(store, 'a', first, { count: 1 });
    expect(second?.value).toEqual({ revision: 1, count: 1 });
    const handed = { revision: 0, count: 1 };
    expect((await counters.write(store, 'a', second, handed))?.value.revision).toBe(2);
  });

  it('that was changed and changed back is not what was read before', async () => {
    const first = await counters.write(store, 'a', undefined, { count: 1 });
    const changed = await counters.write(store, 'a', first, { count: 2 });
    await counters.write(store, 'a', changed, { count: 1 });
    expect(await counters.write(store, 'a', first, { count: 3 })).toBeUndefined();
  });
});

describe('A write', () => {
  it('of what somebody else has written since is none, and neither is what should go with it', async () => {
    const stored = await counters.write(store, 'a', undefined, { count: 1 });
    await counters.write(store, 'a', stored, { count: 2 });
    const also = { put: [[key('b'), 'x'] satisfies [Key, string]] };
    expect(await counters.write(store, 'a', stored, { count: 3 }, also)).toBeUndefined();
    expect(await counters.write(store, 'a', undefined, { count: 3 }, also)).toBeUndefined();
    expect((await counters.read(store, 'a'))?.value.count).toBe(2);
    expect(await textAt('b')).toBeUndefined();
  });

  it('commits what goes with it, even where the record stays as it is', async () => {
    const stored = await notes.write(store, 'a', undefined, { text: 'x' });
    await notes.write(store, 'a', stored, { text: 'x' }, { put: [[key('b'), 'y']] });
    expect(await textAt('b')).toBe('y');
  });

  it('commits every part of what goes with it, or nothing', async () => {
    await store.records.commit({ put: [[key('old'), 'x']], index: [['shard/list', 'old', 1]] });
    const also = (there: string): Change => ({
      expect: [[key('old'), there]],
      put: [[key('new'), 'y']],
      remove: [key('old')],
      index: [['shard/list', 'new', 2]],
      unindex: [['shard/list', 'old']],
    });
    expect(await notes.write(store, 'a', undefined, { text: 'x' }, also('another text'))).toBeUndefined();
    expect(await store.records.range('shard/list', { limit: 9 })).toEqual([['old', 1]]);
    expect(await notes.write(store, 'a', undefined, { text: 'x' }, also('x'))).toBeDefined();
    expect(await store.records.range('shard/list', { limit: 9 })).toEqual([['new', 2]]);
    expect([await textAt('old'), await textAt('new')]).toEqual([undefined, 'y']);
  });

  it('of equal bytes is not made: the expiry stays what it was', async () => {
    const stored = await notes.write(store, 'a', undefined, { text: 'x', until: clock.now() + 1_000 });
    const unwritable = { records: { ...store.records, commit: () => Promise.reject(new Error('written')) } };
    expect(await notes.write(unwritable, 'a', stored, { text: 'x', until: clock.now() + 1_000 })).toEqual(stored);
    clock.advance(1_000);
    expect(await notes.read(store, 'a')).toBeUndefined();
  });

  it('of what could not be read again is refused', async () => {
    await expect(counters.write(store, 'a', undefined, { count: 1.5 })).rejects.toThrow();
    expect(await textAt('a')).toBeUndefined();
  });

  it('replaces a text that cannot be read, if it is still that text', async () => {
    await store.records.commit({ put: [[key('a'), 'garbage']] });
    await expect(notes.read(store, 'a')).rejects.toThrow();
    expect(await notes.write(store, 'a', { text: 'rubbish' }, { text: 'x' })).toBeUndefined();
    await notes.write(store, 'a', { text: 'garbage' }, { text: 'x' });
    expect((await notes.read(store, 'a'))?.value).toEqual({ text: 'x' });
  });

  it('moves the indexes in the same commit', async () => {
    await notes.write(store, 'a', undefined, { text: 'x' });
    expect(await store.records.range('shard/notes', { limit: 9 })).toEqual([['x', 1]]);
  });
});

it('several are read in the order asked, each where there is one', async () => {
  await counters.write(store, 'b', undefined, { count: 2 });
  const found = await counters.readEach(store, ['a', 'b']);
  expect(found.map((stored) => stored?.value.count)).toEqual([undefined, 2]);
});

it('a field of an older version is read under its name now, and every other field as it is', async () => {
  const schema = z.strictObject({ label: z.string(), size: z.int().optional() });
  const labels = record(schema, key, { renamed: { name: 'label' } });
  await store.records.commit({ put: [[key('a'), '{"name":"x","size":2}']] });
  const older = await labels.read(store, 'a');
  expect(older?.value).toEqual({ label: 'x', size: 2 });
  await labels.write(store, 'a', older, { label: 'x' });
  expect(await textAt('a')).toBe('{"label":"x"}');
  await store.records.commit({ put: [[key('b'), '{"title":"x"}']] });
  await expect(labels.read(store, 'b')).rejects.toThrow();
});
