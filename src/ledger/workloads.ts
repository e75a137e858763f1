/**
 * The workloads that called lately, in pages. Each is entered where `seen.ts` remembers it, in the same commit: under all, and under
 * its team. The score is when it was written, so what is to be forgotten stands in front.
 */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { SHARDS, type Shard } from '../domain/id.js';
import type { PartyRef } from '../domain/party.js';
import { moment } from '../domain/schemas.js';
import { cause, type Cause } from '../domain/selector.js';
import { DAY_MS } from '../domain/time.js';
import type { Change, Key, Member } from '../store/store.js';
import { acrossShards } from './across-shards.js';
import { seenKey, seenShard, workloadsIndex } from './keys.js';
import type { Ledger } from './ledger.js';

/** Somebody who works once a month is known. */
export const REMEMBERED_MS = 32 * DAY_MS;

const seenSchema = z.strictObject({ id: z.string(), issuer: z.string(), owner: z.string().optional(), at: moment });

/** A workload that proved who it is, as it was at that time. */
export interface SeenWorkload {
  party: PartyRef;
  /** When that was written last: it may have called up to an hour later. Milliseconds. */
  seenAt: number;
}

/** Returns the change that remembers the workload. @param before what is remembered of it */
export function remembering({ id, issuer, owner }: PartyRef, before: string | undefined, at: number): Change {
  const former = read(before);
  const [one, team] = [cause('workload', id), teamOf(owner)];
  return {
    put: [[seenKey(one), JSON.stringify({ id, issuer, owner, at }), at + REMEMBERED_MS]],
    index: entriesOf(memberOf(one, team)).map(([index, member]) => [index, member, at]),
    ...(former && former.owner !== owner && { unindex: entriesOf(memberOf(one, teamOf(former.owner))) }),
  };
}

const teamOf = (owner: string | undefined): Cause | undefined =>
  owner === undefined ? undefined : cause('owner', owner);

/** An entry names both by their causes: an id may be as long as no index takes, and no cause has a space. */
const memberOf = (workload: Cause, team: Cause | undefined): Member =>
  team === undefined ? workload : `${workload} ${team}`;

function causesIn(member: Member): { workload: Cause; team: Cause | undefined } {
  const [workload = '', team] = member.split(' ');
  return { workload, team };
}

/** With its team in the name of its entry, all its entries are known without the record, which may have expired. */
function entriesOf(member: Member): [Key, Member][] {
  const { workload, team } = causesIn(member);
  const shard = seenShard(workload);
  return [
    [workloadsIndex(shard), member],
    ...(team === undefined ? [] : [[workloadsIndex(shard, team), member] satisfies [Key, Member]]),
  ];
}

/** Returns undefined for a workload that did not call in the last month. */
export const readSeenWorkload = async (ledger: Ledger, id: string): Promise<SeenWorkload | undefined> =>
  (await readSeen(ledger, [cause('workload', id)]))[0];

/** Returns them in the order asked; undefined for one that is not remembered any more. */
async function readSeen(
  { records }: Pick<Ledger, 'records'>,
  workloads: readonly Cause[],
): Promise<(SeenWorkload | undefined)[]> {
  const texts = await records.read(workloads.map(seenKey));
  return texts.map((text) => {
    const known = read(text);
    if (!known) return undefined;
    const { at, ...party } = known;
    return { party: defined({ kind: 'workload' as const, ...party }), seenAt: at };
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
  const named = found.map(([member]) => causesIn(member));
  const seen = await readSeen(
    ledger,
    named.map(({ workload }) => workload),
  );
  const workloads = found.flatMap(([, place], at) => {
    const one = seen[at];
    // An entry under another team than that of the record is left from two brokers that were told different ones at once.
    return one && teamOf(one.party.owner) === named[at]?.team ? [{ ...one, place }] : [];
  });
  return defined({ workloads, next: found.length === most ? found.at(-1)?.[1] : undefined });
}

async function inShard(
  { records }: Ledger,
  shard: Shard,
  { owner, after, most }: WorkloadsBy,
): Promise<[Member, WorkloadPlace][]> {
  const { score: last = -1, passed = 0 } = after ?? {};
  const found = await records.range(workloadsIndex(shard, teamOf(owner)), {
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
    const unindex = gone.flatMap(([member]) => entriesOf(member));
    if (unindex.length > 0) await records.commit({ unindex });
  }
}
