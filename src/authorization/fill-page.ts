/** Pages of lists of which a caller may not see everything: records are looked at until so many are found, or enough were looked at. */
import type { BrokerError } from '../domain/errors.js';

export interface Paging<P extends object> {
  /** The place that the page begins after. */
  after?: P;
  /** So many are found at most. */
  limit: number;
}

interface Looking {
  /** How many records are looked at together: each costs memory, and time in which nothing else is answered. */
  pageSize: number;
  /** How many are looked at for one answer, whatever is found. */
  lookedMost: number;
  /** Is called before each further page is looked at, which costs as much as a request. Throws `slow_down`. */
  beforeMore: () => Promise<void>;
}

/** What a page of records has for the caller, and where the next one begins; absent on the last. */
interface Looked<T, P extends object> {
  found: { one: T; place: P }[];
  next?: P | undefined;
  /** Why it is not known of some whether the caller may see them. */
  unknown: readonly BrokerError[];
}

export interface FilledPage<T, P extends object> {
  permitted: T[];
  /** The place to continue after; absent when all were looked at. A page may be short, or empty, and not be the last. */
  next?: P;
  /** Why it is not known of some whether the caller may see them: they are left out. One for each text. */
  unknown: BrokerError[];
}

/** @param lookAt Returns what is found after a place; more than are wanted still do no harm. */
export async function fillPage<T, P extends object>(
  { after, limit }: Paging<P>,
  { pageSize, lookedMost, beforeMore }: Looking,
  lookAt: (by: { after?: P; most: number }, wanted: number) => Promise<Looked<T, P>>,
): Promise<FilledPage<T, P>> {
  const found: Looked<T, P>['found'] = [];
  const unknown = new Map<string, BrokerError>();
  const answer = (next: P | undefined): FilledPage<T, P> => ({
    permitted: found.map(({ one }) => one),
    unknown: [...unknown.values()],
    ...(next && { next }),
  });
  let place = after;
  for (let looked = 0; looked + pageSize <= lookedMost; looked += pageSize) {
    if (looked > 0) await beforeMore();
    const page = await lookAt({ most: pageSize, ...(place && { after: place }) }, limit - found.length);
    for (const why of page.unknown) unknown.set(why.message, why);
    found.push(...page.found.slice(0, limit - found.length));
    if (found.length === limit) return answer(found.at(-1)?.place);
    if (page.next === undefined) return answer(undefined);
    place = page.next;
  }
  return answer(place);
}
