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

/** Yields the pages of a list. The same place twice would go on for ever: then it ends. */
export async function* pagesOf<Shape extends z.ZodType<{ next?: string | number | undefined }>>(
  { at, ask }: Connection,
  { path, query, page }: Pages<Shape>,
): AsyncGenerator<z.output<Shape>> {
  const passed = new Set<string>();
  for (let after: string | undefined; ;) {
    const answer = answered(page, await ask(at(path, { ...query, after })));
    yield answer;
    if (answer.next === undefined) return;
    after = String(answer.next);
    if (passed.has(after)) return;
    passed.add(after);
  }
}
