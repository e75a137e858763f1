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

/** Credentials whose target must be told of their death: credential id → expiry. */
export const toldIndex = (shard: Shard): Key => `${shard}/told`;

/** Reserved at a minter that works elsewhere, whose answer has not been written down: credential id → when it counts as lost. */
export const unconfirmedIndex = (shard: Shard): Key => `${shard}/unconfirmed`;

/** Finds a credential by what its target calls it. */
export const handleKey = (shard: Shard, digest: string): Key => `${shard}/handle:${digest}`;

/** Who tells a target of deaths, and what it was told. */
export const enforcementKey = (target: Cause): Key => `enforce/${target}`;

/** Receipts lie together, beside the log and not in it: they are bookkeeping. */
export const receiptKey = (seq: number): Key => `receipts/${seq}`;
export const receiptIndex: Key = 'receipts/all';
export const uncountedIndex: Key = 'receipts/uncounted';
export const liftIndex: Key = 'receipts/lifts';
export const receiptCursor: Key = 'receipts/cursor';
