/** Lists that a command reads to their end. */
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { pagesOf } from '../../../src/cli/people/answered.js';
import type { Connection } from '../../../src/cli/people/connection.js';

const page = z.object({
  rows: z.array(z.number()),
  next: z.string().optional(),
  unknown: z.array(z.string()).optional(),
});

/** A broker that has pages without end, each at another place. */
const endless = (rowsOf: (asked: number) => number[], last = Infinity) => {
  let asked = 0;
  const connection = {
    at: (path: string) => new URL(path, 'http://127.0.0.1'),
    ask: () => {
      asked += 1;
      const next = asked < last ? { next: `place-${asked}` } : {};
      return Promise.resolve({ rows: rowsOf(asked), unknown: ['why'], ...next });
    },
  };
  return { connection: connection as unknown as Connection, asked: () => asked };
};

async function read({ connection }: ReturnType<typeof endless>): Promise<number> {
  let count = 0;
  for await (const { rows } of pagesOf(connection, { path: '/rows', query: {}, page })) count += rows.length;
  return count;
}

describe('The pages of a list', () => {
  it('are given up where nothing comes any more, although the place is another each time', async () => {
    const broker = endless((asked) => (asked <= 3 ? [asked] : []));
    await expect(read(broker)).rejects.toThrow('The list does not end: 10000 pages in a row had nothing in them.');
    expect(broker.asked()).toBe(10_003);
  });

  it('may be empty for long, and go on', async () => {
    expect(await read(endless((asked) => (asked % 5_000 === 0 ? [asked] : []), 25_000))).toBe(5);
  });
});
