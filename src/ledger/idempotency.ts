/**
 * A retry finds the task its first attempt opened. The digest of caller and key names the shard, the task is born in that
 * shard, and so record and task are written in one commit: two attempts can never open two.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { BrokerError } from '../domain/errors.js';
import { shardOfDigest, type Shard } from '../domain/id.js';
import type { Change, Key } from '../store/store.js';
import type { Ledger } from './ledger.js';
import { idempotencyKey } from './keys.js';

/** What the caller sent: the Idempotency-Key, and a digest of the request it stands for. */
export interface IdempotencyKey {
  key: string;
  body: string;
}

export interface IdempotencyRecord {
  shard: Shard;
  /** Present when this is a retry. */
  taskId?: string;
  record: Key;
  body: string;
}

const schema = z.strictObject({ body: z.string(), task: z.string() });

/** @param within The shard of the parent, where a child must be born, and its record with it; otherwise the key draws one. */
export async function findPrevious(
  { records }: Ledger,
  caller: string,
  { key, body }: IdempotencyKey,
  within?: Shard,
): Promise<IdempotencyRecord> {
  const digest = createHash('sha256').update(`${caller}\n${key}`).digest();
  const shard = within ?? shardOfDigest(digest);
  const record = idempotencyKey(shard, digest.subarray(0, 16).toString('base64url'));
  const [text] = await records.read([record]);
  if (text === undefined) return { shard, record, body };
  const first = schema.parse(JSON.parse(text));
  if (first.body !== body) throw new BrokerError('conflict', 'This Idempotency-Key was used with a different request.');
  return { shard, record, body, taskId: first.task };
}

/** Written beside the task that is born. */
export const idempotencyChange = (
  { record, body }: IdempotencyRecord,
  task: string,
  expiresAt: number,
): Required<Pick<Change, 'expect' | 'put'>> => ({
  expect: [[record, undefined]],
  put: [[record, JSON.stringify({ body, task }), expiresAt]],
});
