/**
 * How many bytes of records an account has caused that are still kept. They are counted in blocks by drawing lots: a write of
 * a quarter of a block is entered as a whole block one time in four. So most writes enter nothing, the sum is right on
 * average, and of a hundred blocks it is right to a tenth. A block is entered before the records are written: a
 * process that dies in between has counted too much, never too little.
 */
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { natural } from '../domain/schemas.js';
import type { Cause } from '../domain/selector.js';
import { HOUR_MS } from '../domain/time.js';
import { record } from '../store/record.js';
import { keptKey } from './keys.js';
import type { Ledger } from './ledger.js';
import { upsertRecord } from './retry-on-conflict.js';

const BLOCK_BYTES = 64 * 1024;

/** An account has so many records: requests that enter a block at the same time then seldom want to change the same one. */
const PARTS = Array.from({ length: 16 }, (_, part) => part);
const partOf = (account: Cause, part: number) => `${account}:${part}`;

/** `blocks`: the hour in which the records are gone → how many blocks. Hours are counted from 1970. */
const schema = z.strictObject({ blocks: z.array(z.tuple([natural, natural])) });
type Kept = z.infer<typeof schema>;

const parts = record(schema, keptKey, {
  expiresAt: ({ blocks }) => (Math.max(0, ...blocks.map(([hour]) => hour)) + 1) * HOUR_MS,
});

export async function countKeptBytes(ledger: Ledger, account: Cause): Promise<number> {
  const stored = await parts.readEach(
    ledger,
    PARTS.map((part) => partOf(account, part)),
  );
  const now = ledger.clock.now();
  const blocks = stored.flatMap((part) => stillKept(part?.value, now).map(([, count]) => count));
  return blocks.reduce((sum, count) => sum + count * BLOCK_BYTES, 0);
}

interface Writing {
  bytes: number;
  /** When the last of what is written is gone. Milliseconds. */
  until: number;
}

export async function enterKeptBytes(
  ledger: Ledger,
  payers: readonly Cause[],
  { bytes, until }: Writing,
): Promise<void> {
  const drawn = Math.floor((bytes + randomInt(BLOCK_BYTES)) / BLOCK_BYTES);
  if (drawn === 0) return;
  const now = ledger.clock.now();
  const hour = Math.floor(until / HOUR_MS);
  const more = (kept: Kept | undefined): Kept => {
    const others = new Map(stillKept(kept, now));
    return { blocks: [...others.set(hour, (others.get(hour) ?? 0) + drawn)] };
  };
  const part = randomInt(PARTS.length);
  await Promise.all(payers.map((account) => upsertRecord(ledger, parts, partOf(account, part), more)));
}

const stillKept = (kept: Kept | undefined, now: number): Kept['blocks'] =>
  (kept?.blocks ?? []).filter(([hour]) => (hour + 1) * HOUR_MS > now);
