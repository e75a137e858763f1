/**
 * Idempotency: a retry finds the task that its first attempt opened. The digest of caller and key names the shard, and the
 * task is born in that shard, so record and task are written in one commit. Two attempts can never open two tasks. A child is
 * born in the shard of its parent: there the key is claimed first, in the shard that it names, for this one request.
 */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { sha256Bytes } from '../domain/digest.js';
import { BrokerError } from '../domain/errors.js';
import { shardOfDigest, type Shard } from '../domain/id.js';
import type { Party } from '../domain/party.js';
import type { Change, Key } from '../store/store.js';
import { idempotencyKey } from './keys.js';
import type { Ledger } from './ledger.js';

/** What the caller sent: the Idempotency-Key header, and a digest of the request it stands for. */
export interface IdempotencyKey {
  key: string;
  body: string;
}

/** What is known of a request by its Idempotency-Key, and where it is recorded. */
export interface IdempotencyRecord {
  shard: Shard;
  /** The task that the first attempt opened; absent when this is the first attempt. */
  taskId?: string;
  record: Key;
  /** What stands in `record` and names no task: the claim of a request whose task was born in another shard. */
  claimed?: string;
  /** Where the key must be claimed before the task is born; absent where that is done, or where both are one commit. */
  unclaimed?: Key;
  body: string;
}

/** A claim names no task. */
const schema = z.strictObject({ body: z.string(), task: z.string().optional() });

/**
 * Returns undefined for a request without an Idempotency-Key. Refuses a key that was used with a different request.
 * @param within The shard of the parent task: a child must be born there, and its record with it. Otherwise the key draws one.
 */
export async function findPrevious(
  { records }: Ledger,
  caller: Pick<Party, 'id' | 'run'>,
  sent: IdempotencyKey | undefined,
  within?: Shard,
): Promise<IdempotencyRecord | undefined> {
  if (!sent) return undefined;
  const { key, body } = sent;
  const digest = sha256Bytes(`${scopeOf(caller)}\n${key}`);
  const home = shardOfDigest(digest);
  const shard = within ?? home;
  const keyIn = (one: Shard) => idempotencyKey(one, digest.subarray(0, 16).toString('base64url'));
  const texts = await records.read(shard === home ? [keyIn(home)] : [keyIn(shard), keyIn(home)]);
  const [inShard, inHome] = texts.map((text) => (text === undefined ? undefined : schema.parse(JSON.parse(text))));
  // Where the shard is the home, or an older release claimed nothing, the record in the shard is the claim too.
  const claim = inHome ?? inShard;
  for (const used of [inShard, claim]) if (used && used.body !== body) throw usedDifferently();
  const unclaimed = shard === home || claim ? undefined : keyIn(home);
  return defined({
    shard,
    record: keyIn(shard),
    claimed: inShard?.task === undefined ? texts[0] : undefined,
    body,
    taskId: inShard?.task,
    unclaimed,
  });
}

/** Returns whose keys they are. Another run of the workload retries nothing of this one. No name has a line break. */
const scopeOf = ({ id, run }: Pick<Party, 'id' | 'run'>): string => (run === undefined ? id : `${id}\n${run}`);

const usedDifferently = (): BrokerError =>
  new BrokerError('conflict', 'This Idempotency-Key was used with a different request.');

/** Claims the key for this request, where that is to be done. Returns false if another request was faster. */
export const claimKey = async (
  { records }: Ledger,
  { unclaimed, body }: IdempotencyRecord,
  expiresAt: number,
): Promise<boolean> =>
  unclaimed === undefined ||
  records.commit({
    expect: [[unclaimed, undefined]],
    put: [[unclaimed, JSON.stringify({ body }), expiresAt]],
  });

/** Returns the change that must be committed together with the birth of the task. */
export const idempotencyChange = (
  { record, claimed, body }: IdempotencyRecord,
  task: string,
  expiresAt: number,
): Required<Pick<Change, 'expect' | 'put'>> => ({
  expect: [[record, claimed]],
  put: [[record, JSON.stringify({ body, task }), expiresAt]],
});
