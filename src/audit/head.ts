/** How the audit log lies in the store: one head, and the lines in batches of those that were written together. */
import { z } from 'zod';
import type { Key, Records } from '../store/store.js';
import { GENESIS, placeSchema } from './chain.js';

export const HEAD: Key = 'audit/head';
/** Member: the number of a batch's first line; score: of its last. */
export const BATCHES: Key = 'audit/batches';
export const batchKey = (first: number | string): Key => `audit/${first}`;

/** Every write adds a line, so the number rises and equal bytes mean no write between. */
const headSchema = z.strictObject({
  ...placeSchema.shape,
  /** The revocation up to which the log was followed, by number and id; no id where nothing can be compared. */
  followed: z.strictObject({ seq: z.int().nonnegative(), id: z.string() }),
  /** The last line that was pruned, and the broker's word for it. */
  checkpoint: z.strictObject({ ...placeSchema.shape, signed: z.string() }).optional(),
});
export type Head = z.infer<typeof headSchema>;

const EMPTY: Head = { ...GENESIS, followed: { seq: 0, id: '' } };

export const parseHead = (text: string | undefined): Head =>
  text === undefined ? EMPTY : headSchema.parse(JSON.parse(text));

export async function readHead(records: Pick<Records, 'read'>): Promise<Head> {
  const [text] = await records.read([HEAD]);
  return parseHead(text);
}

interface Batch {
  /** Tells whoever wrote it, and did not hear back, that it got in. */
  id: string;
  lines: string[];
}

/** No line contains a newline: JSON escapes it. */
export const formatBatch = ({ id, lines }: Batch): string => [id, ...lines].join('\n');

export function parseBatch(text: string): Batch {
  const [id = '', ...lines] = text.split('\n');
  return { id, lines };
}
