/** Where the ledger keeps things: every key and index name, in one place. */
import { shardOf, type Shard } from '../domain/id.js';
import type { Cause } from '../domain/selector.js';
import type { Key } from '../store/store.js';

/** A task or credential: its id names its shard. */
export const recordKey = (id: string): Key => `${shardOf(id)}/${id}`;

/** What must be looked at, by when: task id → deadline or missed heartbeat. Every open task is in it. */
export const dueIndex = (shard: Shard): Key => `${shard}/due`;

/** Open tasks that hang on a workload: task id → deadline. */
export const workloadIndex = (shard: Shard, workload: Cause): Key => `${shard}/of:${workload}`;

/** The direct children of a task: task id → deadline. */
export const childIndex = (parent: string): Key => `${shardOf(parent)}/under:${parent}`;

export const idempotencyKey = (shard: Shard, digest: string): Key => `${shard}/again:${digest}`;

/** Receipts lie together, beside the log and not in it: they are bookkeeping. */
export const receiptKey = (seq: number): Key => `receipts/${seq}`;
export const receiptIndex: Key = 'receipts/all';
export const uncountedIndex: Key = 'receipts/uncounted';
export const liftIndex: Key = 'receipts/lifts';
export const receiptCursor: Key = 'receipts/cursor';
