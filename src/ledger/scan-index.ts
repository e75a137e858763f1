/** All of an index, in pages: ids with their scores, ascending. */
import { defined } from '../domain/defined.js';
import type { Key, Member, Records } from '../store/store.js';

/** @param by `to`: only scores up to it. A page that holds fewer than `limit` is the last; none is empty. */
export async function* scanIndex(
  records: Pick<Records, 'range'>,
  index: Key,
  by: { to?: number; limit: number },
): AsyncGenerator<[member: Member, score: number][]> {
  let after: [number, Member] | undefined;
  do {
    const page = await records.range(index, defined({ ...by, after }));
    if (page.length > 0) yield page;
    const last = page.at(-1);
    after = page.length === by.limit && last ? [last[1], last[0]] : undefined;
  } while (after);
}
