/** Approvals in the ledger: each lies in the shard of its task, and is found by what was asked, by whom it waits for, and for review. */
import { approvalSchema, type Approval } from '../domain/approval.js';
import { approvalOfCode } from '../domain/deferral-code.js';
import { sha256 } from '../domain/digest.js';
import { isId, SHARDS, shardOf, type Shard } from '../domain/id.js';
import { HISTORY_MS } from '../domain/limits.js';
import type { Task } from '../domain/task.js';
import { record } from '../store/record.js';
import type { Change, Key } from '../store/store.js';
import { acrossShards } from './across-shards.js';
import { approvalIndex, askedKey, openingKey, recordKey, reviewIndex } from './keys.js';
import type { Ledger, Versioned } from './ledger.js';
import { updateRecord } from './retry-on-conflict.js';
import { scanIndex } from './scan-index.js';
import { readTask } from './tasks.js';

/** One that waits for a review does not expire. */
const approvals = record(approvalSchema, recordKey, {
  expiresAt: ({ review, usableUntil, lapsesAt }) =>
    review && !review.closed ? undefined : Math.max(usableUntil ?? 0, lapsesAt, review?.closed?.at ?? 0) + HISTORY_MS,
  indexes: indexChanges,
});

/** Returns undefined for an id that is unknown, or not an approval's. */
export const readApproval = async (ledger: Ledger, id: string): Promise<Versioned<Approval> | undefined> =>
  isId('apr', id) ? approvals.read(ledger, id) : undefined;

/**
 * Returns the approval that this deferral code was given out for; undefined for a guess. Hashes are compared, so the time that it takes
 * says nothing about the code.
 */
export async function readByCode(ledger: Ledger, code: string): Promise<Approval | undefined> {
  const id = approvalOfCode(code);
  const found = id === undefined ? undefined : await readApproval(ledger, id);
  return found?.value.deferralCodes.includes(sha256(code)) ? found.value : undefined;
}

/** Returns the approvals in the order asked, without the unknown ones. */
export const readApprovals = async (ledger: Ledger, ids: readonly string[]): Promise<Approval[]> =>
  (await readVersionedApprovals(ledger, ids)).map(({ value }) => value);

/** The same, for whoever writes one of them. */
export async function readVersionedApprovals(ledger: Ledger, ids: readonly string[]): Promise<Versioned<Approval>[]> {
  const found = await approvals.readEach(
    ledger,
    ids.filter((id) => isId('apr', id)),
  );
  return found.flatMap((stored) => stored ?? []);
}

/** What is listed: those that wait for an answer, and emergencies that wait for a review. */
export const APPROVAL_LISTS = ['pending', 'review'] as const;
type ApprovalList = (typeof APPROVAL_LISTS)[number];

const INDEX_OF = { pending: approvalIndex, review: reviewIndex } satisfies Record<ApprovalList, (shard: Shard) => Key>;

/** A place in a list: by shard, which the id names, then by score and id. */
export type ApprovalPlace = [score: number, id: string];

interface ApprovalPage {
  approvals: Approval[];
  /** Where each of them is. */
  places: ApprovalPlace[];
  /** The last place that was looked at; absent on the last page. */
  next?: ApprovalPlace;
}

/** Returns the next approvals of a list, `most` at most. One that has been settled since it was indexed may be among them. */
export async function approvalsAfter(
  ledger: Ledger,
  list: ApprovalList,
  { after, most }: { after?: ApprovalPlace; most: number },
): Promise<ApprovalPage> {
  const begun = after && shardOf(after[1]);
  const shards = begun === undefined ? SHARDS : SHARDS.slice(SHARDS.indexOf(begun));
  const places = await acrossShards(shards, most, async (shard): Promise<ApprovalPlace[]> => {
    const by = { limit: most, ...(shard === begun && after && { after }) };
    return (await ledger.records.range(INDEX_OF[list](shard), by)).map(([id, score]) => [score, id]);
  });
  const approvals = await readApprovals(
    ledger,
    places.map(([, id]) => id),
  );
  const last = places.at(-1);
  return { approvals, places, ...(last && places.length === most && { next: last }) };
}

/** Returns how many emergencies wait for a review, and since when the oldest does. */
export async function openReviews(ledger: Ledger): Promise<{ count: number; oldest?: number }> {
  const { count, first } = await firstOf(ledger, reviewIndex);
  const since = first.map(([, at]) => at);
  return { count, ...(since.length > 0 && { oldest: Math.min(...since) }) };
}

/**
 * Returns how many approvals wait for an answer, and about since when the oldest does: of each shard, the one that lapses first is
 * looked at. One whose task is over is among them until it would have lapsed.
 */
export async function waitingApprovals(ledger: Ledger): Promise<{ count: number; oldest?: number }> {
  const { count, first } = await firstOf(ledger, approvalIndex);
  const asked = await readApprovals(
    ledger,
    first.map(([id]) => id),
  );
  return { count, ...(asked.length > 0 && { oldest: Math.min(...asked.map(({ askedAt }) => askedAt)) }) };
}

/** Returns the first entry of an index in each shard where there is one, and how many there are in all. Nearly always there is none. */
async function firstOf({ records }: Ledger, indexOf: (shard: Shard) => Key) {
  const found = await Promise.all(
    SHARDS.map(async (shard) => {
      const first = await records.range(indexOf(shard), { limit: 1 });
      return { first, count: first.length > 0 ? await records.count(indexOf(shard)) : 0 };
    }),
  );
  return { first: found.flatMap(({ first }) => first), count: found.reduce((sum, { count }) => sum + count, 0) };
}

/**
 * Changes an approval. `change` returns undefined when there is nothing to do. Returns it as it stands then; null: it is unknown.
 * It is as durable as a revocation: a person was told that the answer stands.
 */
export const changeApproval = (
  ledger: Ledger,
  id: string,
  change: (approval: Approval) => Approval | undefined,
): Promise<Approval | null> => updateRecord(ledger, { read: readApproval, write: writeDurably }, id, change);

const writeDurably: typeof approvals.write = (store, id, stored, next) =>
  approvals.write(store, id, stored, next, { durable: true });

/** Returns the change that writes the next state, for a commit that does more. */
export const approvalStep = (stored: Versioned<Approval> | undefined, next: Approval): Change =>
  approvals.step(next.id, stored, next).change;

/** Where something was looked for that others may write meanwhile: a key, and what stood there. */
export interface Sought {
  key: Key;
  text: string | undefined;
}

/** Returns the approval that was asked for last by this request, in the shard of its task. */
export async function findAsked(
  ledger: Ledger,
  shard: Shard,
  digest: string,
): Promise<{ sought: Sought; stored: Versioned<Approval> | undefined }> {
  const sought = await readAt(ledger, askedKey(shard, digest));
  return { sought, stored: sought.text === undefined ? undefined : await readApproval(ledger, sought.text) };
}

/** Returns the task that was opened for an approval that this request asked for; undefined where there is none, or its record is gone. */
export async function findOpening(
  ledger: Ledger,
  shard: Shard,
  digest: string,
): Promise<{ sought: Sought; task: Task | undefined }> {
  const sought = await readAt(ledger, openingKey(shard, digest));
  return { sought, task: sought.text === undefined ? undefined : (await readTask(ledger, sought.text))?.value };
}

async function readAt({ records }: Ledger, key: Key): Promise<Sought> {
  const [text] = await records.read([key]);
  return { key, text };
}

/** Returns the change by which the next of these requests is led to the task. It fails if another request was faster. */
export const openingChange = ({ key, text }: Sought, { id, deadline }: Task): Change => ({
  expect: [[key, text]],
  put: [[key, id, deadline]],
});

/**
 * Returns the change that asks for an approval, in one commit with the task that it hangs on. Of several that ask the same at once, one
 * commit succeeds: the others find its approval.
 * @param before what was asked for last by the same request, and is settled; undefined: nothing, and the task is new
 */
export function askingChange(approval: Approval, before: Sought | undefined): Change {
  const { id, task, digest, lapsesAt } = approval;
  const { change } = approvals.step(id, undefined, approval);
  const key = askedKey(shardOf(task), digest);
  return {
    ...change,
    expect: [...change.expect, [key, before?.text]],
    put: [...change.put, [key, id, lapsesAt + HISTORY_MS]],
  };
}

/** Returns the change that passes only while nobody else writes the approval, and writes nothing. */
export const unchanged = ({ value, text }: Versioned<Approval>): Change => ({ expect: [[recordKey(value.id), text]] });

const FORGOTTEN_AT_ONCE = 1_000;

/**
 * Removes from the index of what waits those that nobody has answered in time, and returns how many there were. The records expire by
 * themselves.
 * @param past what is surely past, milliseconds
 */
export async function forgetLapsed({ records }: Ledger, past: number): Promise<number> {
  let count = 0;
  for (const shard of SHARDS) {
    const index = approvalIndex(shard);
    for await (const page of scanIndex(records, index, { to: past, limit: FORGOTTEN_AT_ONCE })) {
      await records.commit({ unindex: page.map(([id]) => [index, id]) });
      count += page.length;
    }
  }
  return count;
}

function indexChanges(approval: Approval, before: Approval | undefined): Pick<Change, 'index' | 'unindex'> {
  const { id, review, lapsesAt } = approval;
  const shard = shardOf(id);
  const entries: [Key, score: number, listed: boolean][] = [
    [approvalIndex(shard), lapsesAt, isWaiting(approval)],
    [reviewIndex(shard), review?.openedAt ?? 0, review !== undefined && !review.closed],
  ];
  return {
    index: entries.flatMap(([index, score, listed]): [Key, string, number][] => (listed ? [[index, id, score]] : [])),
    unindex: entries.flatMap(([index, , listed]): [Key, string][] => (listed || !before ? [] : [[index, id]])),
  };
}

/** Returns whether nobody has settled it. The clock, and the end of its task, may have. */
const isWaiting = ({ usableUntil, cancelledAt, answers }: Approval): boolean =>
  usableUntil === undefined && cancelledAt === undefined && answers.every(({ says }) => says !== 'deny');
