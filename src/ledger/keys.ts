/** Every key and index name of the ledger. */
import { sha256, sha256Bytes } from '../domain/digest.js';
import { shardOf, shardOfDigest, type Shard } from '../domain/id.js';
import { cause, type Cause, type Selector } from '../domain/selector.js';
import type { Key } from '../store/store.js';

/** Returns the key of the record of a task, credential or signal. Its id names its shard. */
export const recordKey = (id: string): Key => `${shardOf(id)}/${id}`;

/**
 * Returns the index of when the sweep must look at a task: task id → deadline or missed heartbeats. Every open task is in
 * it.
 */
export const dueIndex = (shard: Shard): Key => `${shard}/due`;

/** Returns the index of the open tasks that others have opened for a workload, or that a run has opened: task id → deadline. */
export const taskIndex = (shard: Shard, of: Cause): Key => `${shard}/of:${of}`;

/** Returns the index of the open tasks that an account has opened: task id → deadline. */
export const openedIndex = (shard: Shard, account: Cause): Key => `${shard}/by:${account}`;

/** Whose open tasks are found without looking at all. */
export type Indexed = Selector & { kind: 'workload' | 'run' };

export const isIndexed = (selector: Selector): selector is Indexed =>
  selector.kind === 'workload' || selector.kind === 'run';

/**
 * Returns the indexes of a shard that together name each open task that a workload works on or has opened, or that a run has
 * opened. No task is in two of them: an entry takes up to 120 bytes of Redis, and most workloads open their tasks themselves.
 */
export function indexesOf(shard: Shard, { kind, value }: Indexed): Key[] {
  const of = cause(kind, value);
  return kind === 'run' ? [taskIndex(shard, of)] : [taskIndex(shard, of), openedIndex(shard, of)];
}

/** Returns the key of a part of how many bytes of records an account has caused. */
export const keptKey = (part: string): Key => `kept/${part}`;

/** Returns the index of the open direct children of a task: task id → deadline. */
export const childIndex = (parent: string): Key => `${shardOf(parent)}/under:${parent}`;

/** Returns the index of all tasks that were opened below a root task, also those that have ended: task id → when it was opened. */
export const treeIndex = (root: string): Key => `${shardOf(root)}/tree:${root}`;

/** Returns the key of what is left of an ended task of a tree, once its record has expired. */
export const formerKey = (id: string): Key => `${shardOf(id)}/was:${id}`;

/** Returns the index of the root tasks that have a `treeIndex`: task id → until when that is kept. */
export const treesIndex = (shard: Shard): Key => `${shard}/trees`;

/** Returns the index of approvals that wait for an answer: approval id → until when it can be answered. */
export const approvalIndex = (shard: Shard): Key => `${shard}/approvals`;

/** Returns the index of approvals of which the audit log may have no entry yet: approval id → when it was asked. */
export const unannouncedIndex = (shard: Shard): Key => `${shard}/untold`;

/** Returns the key by which one broker announces an approval that another one has not. */
export const announcingKey = (id: string): Key => `${shardOf(id)}/telling:${id}`;

/** Returns the index of approvals that were given in an emergency, and that nobody has reviewed yet: approval id → since when. */
export const reviewIndex = (shard: Shard): Key => `${shard}/reviews`;

/** Returns the key of which approvals a workload has asked for lately, for one person or nobody, under tasks that one party opened. */
export function approvalQuotaKey({
  workload,
  person,
  opener,
}: {
  workload: string;
  person?: string | undefined;
  opener?: string | undefined;
}): Key {
  const digest = sha256Bytes(JSON.stringify([workload, person ?? null, opener ?? null]));
  return `${shardOfDigest(digest)}/asking:${digest.subarray(0, 16).toString('base64url')}`;
}

/** Returns the key of the task that was opened for an approval, by the digest of a request that named none. */
export const openingKey = (shard: Shard, digest: string): Key => `${shard}/opening:${digest}`;

/** Returns the key of the approval that was asked for last by the same request. */
export const askedKey = (shard: Shard, digest: string): Key => `${shard}/asked:${digest}`;

export const idempotencyKey = (shard: Shard, digest: string): Key => `${shard}/again:${digest}`;

/** Returns the key under which an assertion is used up. */
export const assertionKey = (id: string): Key => `used/${id}`;

/** Returns the key of the session of a person in a browser. */
export const sessionKey = (id: string): Key => `sessions/${id}`;

/** Returns the key of the task that a run works under. */
export function runKey(digest: Uint8Array): Key {
  return `${shardOfDigest(digest)}/run:${Buffer.from(digest.subarray(0, 16)).toString('base64url')}`;
}

/** Returns the index of credentials that must be denied at their target when they die: credential id → expiry. */
export const enforcementIndex = (shard: Shard): Key => `${shard}/told`;

/**
 * Returns the index of reserved credentials whose minter has not confirmed them: credential id → when the reservation
 * counts as lost.
 */
export const unconfirmedIndex = (shard: Shard): Key => `${shard}/unconfirmed`;

/** Returns the key under which the credential id of a handle is stored. */
export const handleKey = (shard: Shard, digest: string): Key => `${shard}/handle:${digest}`;

/** Returns the key of the state of enforcement at a target. */
export const enforcementKey = (target: Cause): Key => `enforce/${target}`;

/**
 * These three return the index of all signals, of those that are not dealt with yet, and of those that a person must
 * confirm: signal id → when it was received.
 */
export const signalIndex = (shard: Shard): Key => `${shard}/signals`;
export const acceptedIndex = (shard: Shard): Key => `${shard}/accepted`;
export const pendingIndex = (shard: Shard): Key => `${shard}/pending`;

/** Returns the index of signals that wait for a report by another source: signal id → until when. */
export const waitingIndex = (shard: Shard): Key => `${shard}/waiting`;

/** Returns the key of the risk of a cause. */
export const riskKey = (cause: Cause): Key => `risk/${cause}`;

/** The key of the sources that are muted. */
export const mutesKey = 'reactions/:mutes' satisfies Key;

/**
 * Returns the key of what is remembered of a reaction and its subject: who has reported it, and when the reaction was done
 * last.
 */
export const reactionKey = (rule: string, cause: Cause): Key => `reactions/${rule}:${cause}`;

/** Returns the key of whom a reaction has hit lately on the word of one source, of those of one trust entry. */
export const budgetKey = ({ reaction, origin, issuer }: Record<'reaction' | 'origin' | 'issuer', string>): Key =>
  `reactions/${reaction}:budget:${sha256(JSON.stringify([origin, issuer]))}`;

/**
 * These three return the key of the state of delivery to a webhook, of a dead letter, and of all its dead letters: number
 * of the audit entry → when its delivery was given up.
 */
export const webhookKey = (name: string): Key => `notify/${name}`;
export const deadLetterKey = (name: string, seq: number | string): Key => `notify/${name}:${seq}`;
export const deadLetterIndex = (name: string): Key => `notify/${name}:dead`;

/** Returns the key of what a detector remembers of a subject. The digest spreads subjects over the shards. */
export function detectorKey(event: string, subject: string): Key {
  const digest = sha256Bytes(subject);
  return `${shardOfDigest(digest)}/noticed:${event}:${digest.subarray(0, 16).toString('base64url')}`;
}

/** Returns the key of a canary by the hash of its token. `canaryIndex` lists all canaries: hash → expiry. */
export const canaryKey = (hash: string): Key => `canaries/${hash}`;
export const canaryIndex: Key = 'canaries/all';

/** Returns the index of by which policies brokers decide: broker and digest → when it said so. */
export const policiesInForceIndex: Key = 'brokers/deciding';

/** Returns the shard of what is known of a party. The causes are hashes, so they spread over the shards. */
export const seenShard = (cause: Cause): Shard => shardOfDigest(Buffer.from(cause, 'base64url'));

/** Returns the key that says that a party was here. */
export const seenKey = (cause: Cause): Key => `${seenShard(cause)}/seen:${cause}`;

/** Returns the index of the workloads that were here, all of them or those of a team: workload and team → when it was written. */
export const workloadsIndex = (shard: Shard, team?: Cause): Key =>
  team === undefined ? `${shard}/workloads` : `${shard}/workloads:${team}`;

/** Receipts are bookkeeping, so they are in a shard of their own and not in that of the log. */
export const receiptKey = (seq: number): Key => `receipts/${seq}`;
/** Returns the key of who was told of a revocation. */
export const knownByKey = (seq: number): Key => `receipts/known:${seq}`;
export const receiptIndex: Key = 'receipts/all';
export const uncountedIndex: Key = 'receipts/uncounted';
export const liftIndex: Key = 'receipts/lifts';
export const receiptCursor: Key = 'receipts/cursor';
