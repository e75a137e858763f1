/** All of an index, or of several at once, in pages: members with their scores. And what has expired is removed from it. */
import { defined } from '../domain/defined.js';
import type { Key, Member, Records } from '../store/store.js';

interface ScanBy {
  /** Only scores up to this. */
  to?: number;
  /** How many members of one index a page holds at most. */
  limit: number;
}

type Scored = [member: Member, score: number];

/** Yields the members of an index in pages, ascending. No page is empty. */
export const scanIndex = (records: Pick<Records, 'range'>, index: Key, by: ScanBy): AsyncGenerator<Scored[]> =>
  scanIndexes(records, [index], by);

/** So many of each index are read first: most have fewer, and need no second round. */
const FIRST_PAGE_LEAST = 4;

/**
 * Yields the members of several indexes. Every index is read at once, and those that have more than a page are read again. The
 * first page has about `limit` members of all indexes together: whoever stops after some of them has not read thousands.
 * The order is ascending within one index only.
 */
export async function* scanIndexes(
  records: Pick<Records, 'range'>,
  indexes: readonly Key[],
  by: ScanBy,
): AsyncGenerator<Scored[]> {
  let cursors: { index: Key; after?: [score: number, Member] }[] = indexes.map((index) => ({ index }));
  let limit = Math.min(by.limit, Math.max(FIRST_PAGE_LEAST, Math.ceil(by.limit / indexes.length)));
  while (cursors.length > 0) {
    const asked = { ...by, limit };
    const pages = await Promise.all(
      cursors.map(({ index, after }) => records.range(index, defined({ ...asked, after }))),
    );
    const found = pages.flat();
    if (found.length > 0) yield found;
    cursors = cursors.flatMap(({ index }, place) => {
      const page = pages[place] ?? [];
      const last = page.at(-1);
      return last && page.length === asked.limit ? [{ index, after: [last[1], last[0]] }] : [];
    });
    ({ limit } = by);
  }
}

interface PruneBy {
  /** Returns the record that a member names. */
  keyOf: (member: Member) => Key;
  /** Further indexes that lose the same members, in the same shard. */
  also: readonly Key[];
  /** Only scores up to this. */
  to?: number;
}

const PRUNED_AT_ONCE = 1_000;

/**
 * Removes from an index the members whose record is gone. All pages are read: records that never expire may be in front of
 * any number of expired ones, e.g. the receipts of holds that nobody lifts.
 */
export async function pruneIndex(
  records: Pick<Records, 'range' | 'read' | 'commit'>,
  index: Key,
  { keyOf, also, to }: PruneBy,
): Promise<void> {
  for await (const page of scanIndex(records, index, defined({ to, limit: PRUNED_AT_ONCE }))) {
    const texts = await records.read(page.map(([member]) => keyOf(member)));
    const gone = page.filter((_, place) => texts[place] === undefined);
    const unindex = gone.flatMap(([member]) => [index, ...also].map((one): [Key, Member] => [one, member]));
    if (unindex.length > 0) await records.commit({ unindex });
  }
}
