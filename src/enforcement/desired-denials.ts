/**
 * What targets must be told: of all credentials that a target would go on believing, those that are dead, each under the
 * widest name that denies nothing alive. A function of the ledger and the log alone, computed anew each time.
 */
import type { Credential } from '../domain/credential.js';
import { sessionCuts } from '../domain/hangs-on.js';
import { shardOf, SHARDS, type Shard } from '../domain/id.js';
import { parseEpoch } from '../domain/liveness.js';
import { cause } from '../domain/selector.js';
import { DENIED_AFTER_EXPIRY_MS } from '../domain/timing.js';
import type { Ledger } from '../ledger/ledger.js';
import { enforcementIndex } from '../ledger/keys.js';
import { scanIndex } from '../ledger/scan-index.js';
import { recall, type Recalled } from '../ledger/parse-cache.js';
import { latestCut, type Seen } from '../ledger/revocation-log.js';
import type { Key } from '../store/store.js';

/** One line of what a target is told. */
interface Denial {
  kind: 'credential' | 'task' | 'generation';
  value: string;
  /** When the last credential it denies expires. Milliseconds. */
  until: number;
  workload: string;
}

/** By what is denied: `task:tsk_…`. */
export type Denials = ReadonlyMap<string, Denial>;

interface Survey {
  denials: ReadonlyMap<string, Denials>;
  /** By target: how many may still live there, dead or not. */
  unspent: ReadonlyMap<string, number>;
  /** Ids of credentials that have expired for good. */
  spent: string[];
  /** Why, for each of which nobody knows whether it lives. It is denied everywhere. */
  unreadable: unknown[];
}

const PAGE = 256;

interface Surveyed {
  /** Whether a credential is denied already, by when it was issued. */
  covered: (credential: Credential) => boolean;
  /** What expires after this may live. Milliseconds. */
  past: number;
}

export async function survey(ledger: Ledger, targets: readonly string[], { covered, past }: Surveyed): Promise<Survey> {
  const listed = await listedIn(ledger);
  const found = new Map(targets.map((target) => [target, new Map<string, Denial>()]));
  const unspent = new Map(listed.filter(([, expiresAt]) => expiresAt + DENIED_AFTER_EXPIRY_MS > past));
  const counts = new Map<string, number>();
  const unreadable: unknown[] = [];
  for (const ids of inPages([...unspent.keys()])) {
    const page = await recall(ledger, ids);
    for (const { credential } of page.found) counts.set(credential.target, (counts.get(credential.target) ?? 0) + 1);
    for (const [target, denial] of await judge(ledger, page.found, covered)) add(found.get(target), denial);
    for (const [id, error] of page.unreadable) {
      unreadable.push(error);
      const denial: Denial = { kind: 'credential', value: id, until: unspent.get(id) ?? past, workload: '' };
      for (const denials of found.values()) add(denials, denial);
    }
  }
  return {
    denials: found,
    unspent: counts,
    unreadable,
    spent: listed.filter(([, expiresAt]) => expiresAt + DENIED_AFTER_EXPIRY_MS <= past).map(([id]) => id),
  };
}

/** They need not be told of any more, and are told of until this is done. */
export async function forgetSpent({ records }: Ledger, spent: readonly string[]): Promise<void> {
  const byShard = new Map<Shard, string[]>();
  for (const id of spent) byShard.set(shardOf(id), [...(byShard.get(shardOf(id)) ?? []), id]);
  for (const [shard, ids] of byShard)
    for (const page of inPages(ids))
      await records.commit({ unindex: page.map((id): [Key, string] => [enforcementIndex(shard), id]) });
}

function* inPages<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += PAGE) yield items.slice(start, start + PAGE);
}

async function listedIn({ records }: Ledger): Promise<[id: string, expiresAt: number][]> {
  const shards = await Promise.all(
    SHARDS.map(async (shard) => {
      const all: [string, number][] = [];
      for await (const page of scanIndex(records, enforcementIndex(shard), { limit: PAGE })) all.push(...page);
      return all;
    }),
  );
  return shards.flat();
}

async function judge(
  ledger: Ledger,
  found: readonly Recalled[],
  covered: (credential: Credential) => boolean,
): Promise<[target: string, Denial][]> {
  const seen = await ledger.log.look([...new Set(found.flatMap(({ own }) => own))]);
  return found.flatMap((one): [string, Denial][] => {
    const { credential } = one;
    return isDead(one, seen) && !covered(credential) ? [[credential.target, denialOf(one, seen)]] : [];
  });
}

/** The record of a task remembers its end longer than the log. */
const isDead = ({ credential, task, own }: Recalled, seen: Seen): boolean =>
  task.ended !== undefined || seen.deathOf('credential', credential.epoch, own) !== undefined;

/**
 * A workload's sessions of before a cutoff, when none with that number can be born again; else a task, when nothing can be
 * born under it again; else itself.
 */
function denialOf({ credential, task, ofTask }: Recalled, seen: Seen): Denial {
  const { id, target, expiresAt, workloadSeq = 0, epoch } = credential;
  const workload = task.workload.id;
  const rest = { until: expiresAt, workload };
  const isOfThisLog = parseEpoch(epoch).generation === seen.epoch.generation;
  if (isOfThisLog && workloadSeq < latestCut(seen, sessionCuts(target, workload)))
    return { kind: 'generation', value: `${cause('workload', workload)}@${workloadSeq}`, ...rest };
  const taskIsDead = task.ended !== undefined || seen.deathOf('task', task.epoch, ofTask) !== undefined;
  return taskIsDead ? { kind: 'task', value: task.id, ...rest } : { kind: 'credential', value: id, ...rest };
}

function add(denials: Map<string, Denial> | undefined, denial: Denial): void {
  const key = `${denial.kind}:${denial.value}`;
  const until = Math.max(denial.until, denials?.get(key)?.until ?? 0);
  denials?.set(key, { ...denial, until });
}
