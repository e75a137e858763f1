/** Approvals in the ledger: each lies in the shard of its task, and is found by what was asked, by whom it waits for, and for review. */
import { approvalSchema, type Approval } from '../domain/approval.js';
import { isId, shardOf, type Shard } from '../domain/id.js';
import { HISTORY_MS } from '../domain/limits.js';
import { record } from '../store/record.js';
import type { Change, Key } from '../store/store.js';
import { approvalIndex, askedKey, recordKey, reviewIndex } from './keys.js';
import type { Ledger, Versioned } from './ledger.js';
import { updateRecord } from './retry-on-conflict.js';

/** One that waits for a review does not expire. */
const approvals = record(approvalSchema, recordKey, {
  expiresAt: ({ review, usableUntil, lapsesAt }) =>
    review && !review.closed ? undefined : Math.max(usableUntil ?? 0, lapsesAt, review?.closed?.at ?? 0) + HISTORY_MS,
  indexes: indexChanges,
});

/** Returns undefined for an id that is unknown, or not an approval's. */
export const readApproval = async (ledger: Ledger, id: string): Promise<Versioned<Approval> | undefined> =>
  isId('apr', id) ? approvals.read(ledger, id) : undefined;

/** Returns the approvals in the order asked, without the unknown ones. */
export async function readApprovals(ledger: Ledger, ids: readonly string[]): Promise<Approval[]> {
  const found = await approvals.readEach(
    ledger,
    ids.filter((id) => isId('apr', id)),
  );
  return found.flatMap((stored) => stored?.value ?? []);
}

/** Changes an approval. `change` returns undefined when there is nothing to do. Returns it as it stands then; null: it is unknown. */
export const changeApproval = (
  ledger: Ledger,
  id: string,
  change: (approval: Approval) => Approval | undefined,
): Promise<Approval | null> => updateRecord(ledger, { ...approvals, read: readApproval }, id, change);

/** Returns the change that writes the next state, for a commit that does more. */
export const approvalStep = (stored: Versioned<Approval> | undefined, next: Approval): Change =>
  approvals.step(next.id, stored, next).change;

/** Returns the approval that was asked for last by these words, in the shard of its task. */
export async function findAsked(
  ledger: Ledger,
  shard: Shard,
  digest: string,
): Promise<{ stored: Versioned<Approval> | undefined; pointer: string | undefined }> {
  const [pointer] = await ledger.records.read([askedKey(shard, digest)]);
  return { stored: pointer === undefined ? undefined : await readApproval(ledger, pointer), pointer };
}

/**
 * Returns the change that asks a question, in one commit with the task that it hangs on. Of several that ask the same at once, one
 * commit succeeds: the others find its question.
 * @param pointer what `findAsked` found under the same words
 */
export function askingChange(approval: Approval, pointer: string | undefined): Change {
  const { change } = approvals.step(approval.id, undefined, approval);
  const key = askedKey(shardOf(approval.task), approval.digest);
  return {
    ...change,
    expect: [...change.expect, [key, pointer]],
    put: [...change.put, [key, approval.id, approval.lapsesAt + HISTORY_MS]],
  };
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
