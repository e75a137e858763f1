/**
 * The workloads that called lately, in pages. Each is entered where `seen.ts` remembers it, in the same commit: under all, and under
 * its team. The score is when it was written, so what is to be forgotten stands in front.
 */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { SHARDS, type Shard } from '../domain/id.js';
import type { PartyRef } from '../domain/party.js';
import { moment } from '../domain/schemas.js';
import { NAME_CHARACTERS_MAX } from '../domain/name.js';
import { cause } from '../domain/selector.js';
import { DAY_MS } from '../domain/time.js';
import type { Change, Key, Member } from '../store/store.js';
import { acrossShards } from './across-shards.js';
import { seenKey, seenShard, workloadsIndex } from './keys.js';
import type { Ledger } from './ledger.js';

/** Somebody who works once a month is known. */
export const REMEMBERED_MS = 32 * DAY_MS;

const seenSchema = z.strictObject({ issuer: z.string(), owner: z.string().optional(), at: moment });

/** A workload that proved who it is, as it was at that time. */
export interface SeenWorkload {
  party: PartyRef;
  /** When that was written last: it may have called up to an hour later. Milliseconds. */
  seenAt: number;
}

/** Returns the change that remembers the workload. @param before what is remembered of it */
export function remembering({ id, issuer, owner }: PartyRef, before: string | undefined, at: number): Change {
  const former = read(before);
  return {
    put: [[seenKey(cause('workload', id)), JSON.stringify({ issuer, owner, at }), at + REMEMBERED_MS]],
    index: entriesOf(id, owner).map(([index, member]) => [index, member, at]),
    ...(former && former.owner !== owner && { unindex: entriesOf(id, former.owner) }),
  };
}

/** With its team in the name of its entry, all its entries are known without the record, which may have expired. */
function entriesOf(id: string, owner: string | undefined): [Key, Member][] {
  const shard = seenShard(cause('workload', id));
  const member = memberOf(id, owner);
  // No index takes a longer one. A workload with such an id is remembered and revoked like others, and only the list lacks it.
  if (member.length > NAME_CHARACTERS_MAX) return [];
  return [
    [workloadsIndex(shard), member],
    ...(owner === undefined ? [] : [[workloadsIndex(shard, owner), member] satisfies [Key, Member]]),
  ];
}

/** No name has a line break. */
const memberOf = (id: string, owner: string | undefined): Member => (owner === undefined ? id : `${id}\n${owner}`);

const namesIn = (member: Member) => {
  const [id = '', owner] = member.split('\n');
  return { id, owner };
};

/** Returns undefined for a workload that did not call in the last month. */
export const readSeenWorkload = async (ledger: Ledger, id: string): Promise<SeenWorkload | undefined> =>
  (await readSeen(ledger, [id]))[0];

async function readSeen({ records }: Pick<Ledger, 'records'>, ids: readonly string[]): Promise<SeenWorkload[]> {
  const texts = await records.read(ids.map((id) => seenKey(cause('workload', id))));
  return ids.flatMap((id, place) => {
    const known = read(texts[place]);
    if (!known) return [];
    const { issuer, owner, at } = known;
    return [{ party: defined({ kind: 'workload' as const, id, issuer, owner }), seenAt: at }];
  });
}

/** Returns undefined for a record of an older release, which says nothing but that the workload was here, or a damaged one. */
function read(text: string | undefined): z.infer<typeof seenSchema> | undefined {
  try {
    return text ? seenSchema.parse(JSON.parse(text)) : undefined;
  } catch {
    return undefined;
  }
}

/** Where a page ended. It names no workload: a reader who may not know the last one that was looked at learns nothing of it. */
export interface WorkloadPlace {
  shard: Shard;
  score: number;
  /** How many with this score were looked at. */
  passed: number;
}

export interface PlacedWorkload extends SeenWorkload {
  place: WorkloadPlace;
}

interface WorkloadPage {
  workloads: PlacedWorkload[];
  /** The last place that was looked at; absent on the last page. */
  next?: WorkloadPlace;
}

interface WorkloadsBy {
  owner?: string | undefined;
  after?: WorkloadPlace | undefined;
  most: number;
}

/** Returns the next workloads, of a team or of all, `most` at most. One that calls between two pages may be on both. */
export async function workloadsAfter(ledger: Ledger, { owner, after, most }: WorkloadsBy): Promise<WorkloadPage> {
  const shards = after ? SHARDS.slice(SHARDS.indexOf(after.shard)) : SHARDS;
  const found = await acrossShards(shards, most, (shard) =>
    inShard(ledger, shard, { owner, most, after: after?.shard === shard ? after : undefined }),
  );
  const seen = await readSeen(
    ledger,
    found.map(([member]) => namesIn(member).id),
  );
  const byId = new Map(seen.map((one) => [one.party.id, one]));
  const workloads = found.flatMap(([member, place]) => {
    const { id, owner: team } = namesIn(member);
    const one = byId.get(id);
    // An entry under another team than that of the record is left from two brokers that were told different ones at once.
    return one && one.party.owner === team ? [{ ...one, place }] : [];
  });
  return defined({ workloads, next: found.length === most ? found.at(-1)?.[1] : undefined });
}

async function inShard(
  { records }: Ledger,
  shard: Shard,
  { owner, after, most }: WorkloadsBy,
): Promise<[Member, WorkloadPlace][]> {
  const { score: last = -1, passed = 0 } = after ?? {};
  const found = await records.range(workloadsIndex(shard, owner), {
    limit: most + passed,
    ...(after && { after: [last, ''] }),
  });
  let [previous, count] = [last, 0];
  const placed = found.map(([member, score]): [Member, WorkloadPlace] => {
    count = score === previous ? count + 1 : 1;
    previous = score;
    return [member, { shard, score, passed: count }];
  });
  return placed.filter(([, { score, passed: at }]) => score !== last || at > passed).slice(0, most);
}

const FORGOTTEN_AT_ONCE = 1_000;

/** Removes what is left of workloads that did not call in the last month. @param now Milliseconds. */
export async function forgetWorkloads({ records }: Ledger, now: number): Promise<void> {
  for (const shard of SHARDS) {
    const by = { to: now - REMEMBERED_MS, limit: FORGOTTEN_AT_ONCE };
    const gone = await records.range(workloadsIndex(shard), by);
    const unindex = gone.flatMap(([member]) => {
      const { id, owner } = namesIn(member);
      return entriesOf(id, owner);
    });
    if (unindex.length > 0) await records.commit({ unindex });
  }
}
