/** Reads the answers of a broker. Whatever else answers is told from one, and none of it is shown. */
import type { z } from 'zod';
import type { Connection } from './connection.js';

export function answered<Shape extends z.ZodType>(shape: Shape, answer: unknown): z.output<Shape> {
  const read = shape.safeParse(answer);
  if (read.success) return read.data;
  throw new Error('That was no answer of a broker, or of a newer one than this command. Is the address right?');
}

interface Pages<Shape extends z.ZodType> {
  path: string;
  query: Readonly<Record<string, string | undefined>>;
  page: Shape;
}

/** What the pages of all lists have in common. */
interface Page {
  next?: string | number | undefined;
  unknown?: string[] | undefined;
}

/** A page looks at a thousand rows: a reader of few among a million sees fewer pages without any. */
const EMPTY_PAGES_MOST = 10_000;

/**
 * Yields the pages of a list. Throws where it never ends: it leads to the same place again; or, since most lists write the same place
 * as another text each time, many pages in a row have nothing in them.
 */
export async function* pagesOf<Shape extends z.ZodType<Page>>(
  { at, ask }: Connection,
  { path, query, page }: Pages<Shape>,
): AsyncGenerator<z.output<Shape>> {
  let empty = 0;
  for (let after: string | undefined; ;) {
    const answer = answered(page, await ask(at(path, { ...query, after })));
    yield answer;
    if (answer.next === undefined) return;
    empty = hasRows(answer) ? 0 : empty + 1;
    if (empty === EMPTY_PAGES_MOST)
      throw new Error(`The list does not end: ${empty} pages in a row had nothing in them.`);
    if (String(answer.next) === after) throw new Error('The list does not end: it leads to the same place again.');
    after = String(answer.next);
  }
}

const hasRows = (page: Page): boolean =>
  Object.entries(page).some(([name, value]) => name !== 'unknown' && Array.isArray(value) && value.length > 0);

/** Says what a list lacks, apart from what it has. */
export const warnOf = ({ unknown = [] }: Page, err: (line: string) => void): void => {
  for (const why of unknown) err(`Some may be missing. ${why}`);
};
