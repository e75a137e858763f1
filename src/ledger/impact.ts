/**
 * The impact of a revocation: how much hangs on a selector and is alive. The walk is read-only and goes in pages. It
 * previews a revocation (dry run), and counts what a published one has hit: what was alive by the tombstone before it.
 */
import type { Credential } from '../domain/credential.js';
import { credentialCauses, taskCauses } from '../domain/hangs-on.js';
import { death, parseEpoch, type Revocable } from '../domain/liveness.js';
import { causeOf, type Cause, type Selector } from '../domain/selector.js';
import type { Task } from '../domain/task.js';
import { parseTombstone, type Tombstone } from '../domain/tombstone.js';
import { readCredentials } from './credentials.js';
import type { Ledger } from './ledger.js';
import type { Seen } from './revocation-log.js';
import { tasksUnder } from './tasks-under.js';

export interface Affected {
  credentials: number;
  tasks: number;
  byTarget: Record<string, AffectedAtTarget>;
  byOwner: Record<string, number>;
}

interface AffectedAtTarget {
  count: number;
  /** When the last of the counted credentials expires. Milliseconds. */
  latestEnd: number;
}

interface ImpactQuery {
  selector: Selector;
  /** Counted is what was alive at this time. Milliseconds. */
  at: number;
  /** A published entry: its number, and the tombstone it joined. What was born later, or was dead before, is not counted. */
  published?: { seq: number; before: string | undefined };
  /** A bound, where it matters only whether there are more: the walk stops when more tasks than these were hit, or looked at. */
  enough?: { hit: number; lookedAt: number };
}

export async function countImpact(ledger: Ledger, query: ImpactQuery): Promise<Affected> {
  return (await countUpTo(ledger, query)).affected;
}

interface CountedUpTo {
  affected: Affected;
  /** How many workloads run the tasks that are hit. */
  workloads: number;
  /** The walk went to its end, so nothing else is hit. */
  isWhole: boolean;
}

export async function countUpTo(ledger: Ledger, query: ImpactQuery): Promise<CountedUpTo> {
  const tally: Tally = { credentials: 0, tasks: 0, workloads: new Set(), byTarget: new Map(), byOwner: new Map() };
  let lookedAt = 0;
  let isWhole = true;
  for await (const page of tasksUnder(ledger, query.selector)) {
    await countPage(ledger, query, page, tally);
    lookedAt += page.length;
    if (query.enough && (tally.tasks > query.enough.hit || lookedAt > query.enough.lookedAt)) {
      isWhole = false;
      break;
    }
  }
  const { byTarget, byOwner, workloads, ...rest } = tally;
  const affected = { ...rest, byTarget: Object.fromEntries(byTarget), byOwner: Object.fromEntries(byOwner) };
  return { affected, workloads: workloads.size, isWhole };
}

/** The counts while the walk goes on. They are maps: an owner may be called `constructor`. */
interface Tally extends Omit<Affected, 'byTarget' | 'byOwner'> {
  /** Ids of the workloads that run the counted tasks. */
  workloads: Set<string>;
  byTarget: Map<string, AffectedAtTarget>;
  byOwner: Map<string, number>;
}

async function countPage(ledger: Ledger, query: ImpactQuery, page: Task[], tally: Tally): Promise<void> {
  const { at, selector } = query;
  const causesOf = new Map(page.map((task) => [task.id, taskCauses(task)]));
  const under = new Map(page.map((task) => [task.id, task]));
  const listed = page.flatMap((task) => task.credentials.filter(({ expiresAt }) => expiresAt > at).map(({ id }) => id));
  const credentials = await readCredentials(ledger, listed);
  const found = credentials.flatMap((credential) => {
    const task = under.get(credential.task);
    return task ? [{ credential, task, own: credentialCauses(credential, task) }] : [];
  });
  const causes = new Set([...[...causesOf.values()].flat(), ...found.flatMap(({ own }) => own)]);
  const wasAlive = aliveBefore(query, await ledger.log.look([...causes]));

  const hit = causeOf(selector);
  for (const task of page) {
    const own = causesOf.get(task.id) ?? [];
    // What was handed on has ended with a hold on anything above it (see `deathAbove` in task-state.ts).
    const above = task.handedOn ? (task.inherits ?? []) : [];
    const lived = wasAlive('task', task.epoch, own) && wasAlive('credential', task.epoch, above);
    if (task.deadline > at && own.includes(hit) && lived) {
      tally.tasks += 1;
      tally.workloads.add(task.workload.id);
    }
  }
  for (const { credential, task, own } of found) {
    if (own.includes(hit) && wasAlive('credential', credential.epoch, own)) add(tally, credential, task);
  }
}

/** Returns whether something was alive just before: by the log as it is, without this revocation and all later ones. */
function aliveBefore({ selector, published }: ImpactQuery, seen: Seen) {
  const hit = causeOf(selector);
  const before: Tombstone | undefined = published?.before === undefined ? undefined : parseTombstone(published.before);
  return (kind: Revocable, epochText: string, causes: Cause[]): boolean => {
    const epoch = parseEpoch(epochText);
    if (published && epoch.seq >= published.seq) return false;
    const tombstones = published
      ? causes.map((one) => (one === hit ? before : asOf(published.seq, seen.on([one])[0])))
      : seen.on(causes);
    return death(kind, epoch, seen.epoch.generation, tombstones) === undefined;
  };
}

/**
 * Returns the tombstone as it was before entry `seq`. A later cutoff may have replaced an earlier one: the count is then
 * too high.
 */
function asOf(seq: number, tombstone: Tombstone | undefined): Tombstone | undefined {
  if (!tombstone) return undefined;
  const { ended, cut, lastHold, ...rest } = tombstone;
  return {
    ...rest,
    ...(ended && ended.seq < seq && { ended }),
    ...(cut && cut.seq < seq && { cut }),
    ...(lastHold !== undefined && lastHold < seq && { lastHold }),
  };
}

function add(tally: Tally, credential: Credential, { workload }: Task): void {
  const { target, expiresAt } = credential;
  tally.credentials += 1;
  const { count, latestEnd } = tally.byTarget.get(target) ?? { count: 0, latestEnd: 0 };
  tally.byTarget.set(target, { count: count + 1, latestEnd: Math.max(latestEnd, expiresAt) });
  const owner = workload.owner ?? 'unknown';
  tally.byOwner.set(owner, (tally.byOwner.get(owner) ?? 0) + 1);
}
