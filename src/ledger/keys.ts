/** Where the ledger keeps things: every key and index name, in one place. */
import { sha256Bytes } from '../domain/digest.js';
import { shardOf, shardOfDigest, type Shard } from '../domain/id.js';
import type { Cause } from '../domain/selector.js';
import type { Key } from '../store/store.js';

/** A task, credential or signal: its id names its shard. */
export const recordKey = (id: string): Key => `${shardOf(id)}/${id}`;

/** What must be looked at, by when: task id → deadline or missed heartbeat. Every open task is in it. */
export const dueIndex = (shard: Shard): Key => `${shard}/due`;

/** Open tasks that hang on a workload: task id → deadline. */
export const workloadIndex = (shard: Shard, workload: Cause): Key => `${shard}/of:${workload}`;

/** The direct children of a task: task id → deadline. */
export const childIndex = (parent: string): Key => `${shardOf(parent)}/under:${parent}`;

export const idempotencyKey = (shard: Shard, digest: string): Key => `${shard}/again:${digest}`;

/** Credentials whose target must be told of their death: credential id → expiry. */
export const enforcementIndex = (shard: Shard): Key => `${shard}/told`;

/** Reserved at a minter that works elsewhere, whose answer has not been written down: credential id → when it counts as lost. */
export const unconfirmedIndex = (shard: Shard): Key => `${shard}/unconfirmed`;

/** Finds a credential by what its target calls it. */
export const handleKey = (shard: Shard, digest: string): Key => `${shard}/handle:${digest}`;

/** Who tells a target of deaths, and what it was told. */
export const enforcementKey = (target: Cause): Key => `enforce/${target}`;

/** All signals, those about which something is still to be done, and those that wait for a person: signal id → when it was received. */
export const signalIndex = (shard: Shard): Key => `${shard}/signals`;
export const acceptedIndex = (shard: Shard): Key => `${shard}/accepted`;
export const pendingIndex = (shard: Shard): Key => `${shard}/pending`;

/** Those that wait for another voice: signal id → when it is too late for one. */
export const waitingIndex = (shard: Shard): Key => `${shard}/waiting`;

/** How far something is trusted less than usual. */
export const riskKey = (cause: Cause): Key => `risk/${cause}`;

/** What a reaction remembers of its subject: who has said it, and when it was done last. */
export const reactionKey = (rule: string, cause: Cause): Key => `reactions/${rule}:${cause}`;

/** What reactions have hit in a minute, all together, and what one signal has. */
export const brakeKey = (minute: number): Key => `reactions/minute:${minute}`;
export const allowanceKey = (signal: string): Key => `reactions/of:${signal}`;

/** How far a webhook was told, and what it could not be told: the number of the audit entry → when that was given up. */
export const webhookKey = (name: string): Key => `notify/${name}`;
export const deadLetterKey = (name: string, seq: number | string): Key => `notify/${name}:${seq}`;
export const deadLetterIndex = (name: string): Key => `notify/${name}:dead`;

/** What a detector remembers of a subject, beside that of others that happen to fall there. */
export function detectorKey(event: string, subject: string): Key {
  const digest = sha256Bytes(subject);
  return `${shardOfDigest(digest)}/noticed:${event}:${digest.subarray(0, 16).toString('base64url')}`;
}

/** Canaries by the hash of their tokens, and hash → expiry of all of them. */
export const canaryKey = (hash: string): Key => `canaries/${hash}`;
export const canaryIndex: Key = 'canaries/all';

/** Receipts lie together, beside the log and not in it: they are bookkeeping. */
export const receiptKey = (seq: number): Key => `receipts/${seq}`;
export const receiptIndex: Key = 'receipts/all';
export const uncountedIndex: Key = 'receipts/uncounted';
export const liftIndex: Key = 'receipts/lifts';
export const receiptCursor: Key = 'receipts/cursor';
