/** Scanning indexes: everything once, page by page, one index or several at once. */
import { expect, it } from '@jest/globals';
import { scanIndex, scanIndexes } from '../../../src/ledger/scan-index.js';
import type { Key } from '../../../src/store/store.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';

async function indexed(sizes: readonly number[]) {
  const { records } = modelStore(handClock());
  const indexes = sizes.map((_, place): Key => `shard/index-${place}`);
  for (const [place, index] of indexes.entries())
    if (sizes[place])
      await records.commit({
        index: Array.from({ length: sizes[place] ?? 0 }, (_, n): [Key, string, number] => [
          index,
          `member-${place}-${n}`,
          n % 3,
        ]),
      });
  return { records, indexes };
}

it.each([0, 1, 3, 4, 5, 8])('an index of %i members comes in pages of four, none of them empty', async (size) => {
  const { records, indexes } = await indexed([size, 1]);
  const pages: [string, number][][] = [];
  for await (const page of scanIndex(records, indexes[0] ?? 'shard/none', { limit: 4 })) pages.push(page);
  const all = pages.flat();
  expect(new Set(all.map(([member]) => member)).size).toBe(size);
  expect(all).toHaveLength(size);
  expect(pages).toHaveLength(Math.ceil(size / 4));
  expect(all.map(([, score]) => score)).toEqual(all.map(([, score]) => score).toSorted((a, b) => a - b));
});

it('several are read at once, and only the long ones again', async () => {
  const { records, indexes } = await indexed([9, 2, 0, 4]);
  const read: Key[] = [];
  const counted = {
    range: (...[index, by]: Parameters<typeof records.range>) => {
      read.push(index);
      return records.range(index, by);
    },
  };
  const all: string[] = [];
  for await (const page of scanIndexes(counted, indexes, { limit: 4 })) all.push(...page.map(([member]) => member));
  expect(new Set(all).size).toBe(15);
  expect(all).toHaveLength(15);
  expect(read.map((index) => index.slice(-1)).join('')).toBe('0123' + '03' + '0');
});

it('whoever stops after the first page of several has not read a page of each', async () => {
  const { records, indexes } = await indexed([9, 9, 9, 9]);
  for await (const page of scanIndexes(records, indexes, { limit: 16 })) {
    expect(page).toHaveLength(16);
    break;
  }
  expect.assertions(1);
});

it('no score above the bound is read', async () => {
  const { records, indexes } = await indexed([9]);
  const scores: number[] = [];
  for await (const page of scanIndexes(records, indexes, { to: 1, limit: 4 })) scores.push(...page.map(([, at]) => at));
  expect(scores).toEqual([0, 0, 0, 1, 1, 1]);
});
