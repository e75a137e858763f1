/**
 * The desired state of each target: which of the sessions that it would still accept are dead, each denied under the broadest
 * name that denies no live session. It is a function of the ledger and the revocation log alone, computed anew each time.
 */
import type { Credential } from '../domain/credential.js';
import { sessionCuts } from '../domain/hangs-on.js';
import { shardOf, SHARDS, type Shard } from '../domain/id.js';
import { parseEpoch } from '../domain/liveness.js';
import { cause } from '../domain/selector.js';
import { DENIED_AFTER_EXPIRY_MS } from '../domain/timing.js';
import { enforcementIndex } from '../ledger/keys.js';
import type { Ledger } from '../ledger/ledger.js';
import { readCached, type CachedCredential } from '../ledger/parse-cache.js';
import { latestCut, type Seen } from '../ledger/revocation-log.js';
import { scanIndexes } from '../ledger/scan-index.js';
import type { Key } from '../store/store.js';

/** One name that a target must deny. */
interface Denial {
  /** `workload`: all sessions of a workload that were born before one of its cutoffs. */
  kind: 'credential' | 'task' | 'workload';
  value: string;
  /** When the last session that it denies expires. Milliseconds. */
  until: number;
  /** Whose sessions these are; empty if the record that says so cannot be read. */
  workload: string;
}

/** All that one target must deny, by kind and value: `task:tsk_…`. */
export type DesiredDenials = ReadonlyMap<string, Denial>;

interface DesiredState {
  denials: ReadonlyMap<string, DesiredDenials>;
  /** By target: how many sessions have not expired, dead or not. */
  live: ReadonlyMap<string, number>;
  /** Ids of sessions that expired so long ago that no target accepts them. */
  expired: string[];
  /** One error for each session whose record cannot be read. Whether it is dead is unknown, so every target denies it. */
  unreadable: unknown[];
}

interface Circumstances {
  /** Returns whether the target denies a session already, because it was issued before the target's cutoff. */
  isCutOff: (credential: Credential) => boolean;
  /** A time that has surely passed, in milliseconds. Sessions that expire later may still be accepted. */
  surelyPast: number;
}

const PAGE = 256;

export async function desiredState(
  ledger: Ledger,
  targets: readonly string[],
  { isCutOff, surelyPast }: Circumstances,
): Promise<DesiredState> {
  const indexed = await indexedSessions(ledger);
  const isExpired = (expiresAt: number) => expiresAt + DENIED_AFTER_EXPIRY_MS <= surelyPast;
  const unexpired = new Map(indexed.filter(([, expiresAt]) => !isExpired(expiresAt)));
  const denials = new Map(targets.map((target) => [target, new Map<string, Denial>()]));
  const live = new Map<string, number>();
  const unreadable: unknown[] = [];
  for (const ids of inPages([...unexpired.keys()])) {
    const page = await readCached(ledger, ids);
    for (const { credential } of page.found) live.set(credential.target, (live.get(credential.target) ?? 0) + 1);
    for (const [target, denial] of await selectDead(ledger, page.found, isCutOff)) add(denials.get(target), denial);
    for (const [id, error] of page.unreadable) {
      unreadable.push(error);
      const denial: Denial = { kind: 'credential', value: id, until: unexpired.get(id) ?? surelyPast, workload: '' };
      for (const ofTarget of denials.values()) add(ofTarget, denial);
    }
  }
  return { denials, live, unreadable, expired: indexed.filter(([, at]) => isExpired(at)).map(([id]) => id) };
}

/** Removes expired sessions from the enforcement index. Until this succeeds they are only read again in each turn. */
export async function forgetExpired({ records }: Ledger, expired: readonly string[]): Promise<void> {
  const byShard = new Map<Shard, string[]>();
  for (const id of expired) byShard.set(shardOf(id), [...(byShard.get(shardOf(id)) ?? []), id]);
  for (const [shard, ids] of byShard)
    for (const page of inPages(ids))
      await records.commit({ unindex: page.map((id): [Key, string] => [enforcementIndex(shard), id]) });
}

function* inPages<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += PAGE) yield items.slice(start, start + PAGE);
}

async function indexedSessions({ records }: Ledger): Promise<[id: string, expiresAt: number][]> {
  const all: [string, number][] = [];
  for await (const page of scanIndexes(records, SHARDS.map(enforcementIndex), { limit: PAGE })) all.push(...page);
  return all;
}

async function selectDead(
  ledger: Ledger,
  found: readonly CachedCredential[],
  isCutOff: Circumstances['isCutOff'],
): Promise<[target: string, Denial][]> {
  const seen = await ledger.log.look(found.flatMap(({ own }) => own));
  return found.flatMap((one): [string, Denial][] => {
    const { credential } = one;
    return isDead(one, seen) && !isCutOff(credential) ? [[credential.target, denialOf(one, seen)]] : [];
  });
}

/** The record of a task is asked too: it keeps the task's end for longer than the log does. */
const isDead = ({ credential, task, own }: CachedCredential, seen: Seen): boolean =>
  task.ended !== undefined || seen.deathOf('credential', credential.epoch, own) !== undefined;

/**
 * Returns the broadest name that denies no live session: the workload before its cutoff, if no session with that number can
 * be born any more; or the task, if none can be born under it; or the session itself.
 */
function denialOf({ credential, task, ofTask }: CachedCredential, seen: Seen): Denial {
  const { id, target, expiresAt, workloadSeq = 0, epoch } = credential;
  const workload = task.workload.id;
  const rest = { until: expiresAt, workload };
  const isOfThisLog = parseEpoch(epoch).generation === seen.epoch.generation;
  if (isOfThisLog && workloadSeq < latestCut(seen, sessionCuts(target, workload)))
    return { kind: 'workload', value: `${cause('workload', workload)}@${workloadSeq}`, ...rest };
  const taskIsDead = task.ended !== undefined || seen.deathOf('task', task.epoch, ofTask) !== undefined;
  return taskIsDead ? { kind: 'task', value: task.id, ...rest } : { kind: 'credential', value: id, ...rest };
}

function add(denials: Map<string, Denial> | undefined, denial: Denial): void {
  const key = `${denial.kind}:${denial.value}`;
  const until = Math.max(denial.until, denials?.get(key)?.until ?? 0);
  denials?.set(key, { ...denial, until });
}
