/**
 * Approvals that nobody may have heard of. Each is listed in the commit that asks for it, and taken out once the audit log has its entry:
 * a broker that dies between the two leaves it in the list, for another to announce.
 */
import type { Approval } from '../domain/approval.js';
import { SHARDS, shardOf } from '../domain/id.js';
import { MINUTE_MS } from '../domain/time.js';
import type { Change } from '../store/store.js';
import { announcingKey, unannouncedIndex } from './keys.js';
import type { Ledger } from './ledger.js';

export const unannouncedChange = ({ id, askedAt }: Approval): Change => ({
  index: [[unannouncedIndex(shardOf(id)), id, askedAt]],
});

export const noteAnnounced = ({ records }: Ledger, id: string): Promise<boolean> =>
  records.commit({ unindex: [[unannouncedIndex(shardOf(id)), id]] });

/** So long nobody else announces what a broker is about to: if it dies before it has, another one does then. */
const ANNOUNCED_WITHIN_MS = MINUTE_MS;

/** Returns whether this broker is to announce it: of several that are about to, one is. */
export const claimAnnouncing = ({ records, clock }: Ledger, id: string): Promise<boolean> =>
  records.commit({
    expect: [[announcingKey(id), undefined]],
    put: [[announcingKey(id), 'claimed', clock.now() + ANNOUNCED_WITHIN_MS]],
  });

const AT_ONCE = 100;

/** Returns the ids of some that were asked before this time, in milliseconds. */
export async function unannouncedBefore({ records }: Ledger, to: number): Promise<string[]> {
  const found = await Promise.all(
    SHARDS.map((shard) => records.range(unannouncedIndex(shard), { to, limit: AT_ONCE })),
  );
  return found.flat().map(([id]) => id);
}
