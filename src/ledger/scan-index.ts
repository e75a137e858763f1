/** All of an index, or of several at once, in pages: members with their scores. */
import { defined } from '../domain/defined.js';
import type { Key, Member, Records } from '../store/store.js';

interface ScanBy {
  /** Only scores up to this. */
  to?: number;
  /** How many members of one index a page holds at most. */
  limit: number;
}

type Scored = [member: Member, score: number];

/** Ascending. No page is empty. */
export const scanIndex = (records: Pick<Records, 'range'>, index: Key, by: ScanBy): AsyncGenerator<Scored[]> =>
  scanIndexes(records, [index], by);

/** Every index is read at once, and those that have more than a page are read again. Ascending within one index only. */
export async function* scanIndexes(
  records: Pick<Records, 'range'>,
  indexes: readonly Key[],
  by: ScanBy,
): AsyncGenerator<Scored[]> {
  let cursors: { index: Key; after?: [score: number, Member] }[] = indexes.map((index) => ({ index }));
  while (cursors.length > 0) {
    const pages = await Promise.all(cursors.map(({ index, after }) => records.range(index, defined({ ...by, after }))));
    const found = pages.flat();
    if (found.length > 0) yield found;
    cursors = cursors.flatMap(({ index }, place) => {
      const page = pages[place] ?? [];
      const last = page.at(-1);
      return last && page.length === by.limit ? [{ index, after: [last[1], last[0]] }] : [];
    });
  }
}
