/**
 * What targets must be told: of all credentials that a target would go on believing, those that are dead, each under the
 * widest name that denies nothing alive. A function of the ledger and the log alone, computed anew each time.
 */
import type { Credential } from '../domain/credential.js';
import { sessionCuts } from '../domain/credential.js';
import { shardOf, SHARDS } from '../domain/id.js';
import { death, parseEpoch } from '../domain/liveness.js';
import { cause } from '../domain/selector.js';
import type { Ledger } from '../ledger/ledger.js';
import { toldIndex } from '../ledger/names.js';
import { recall, type Recalled } from '../ledger/recall.js';
import { latestCut, type Seen } from '../ledger/revocation-log.js';

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
  /** Ids of credentials that have expired for good. */
  spent: string[];
}

/** A target's clock may be behind ours: it is told for so long after the expiry. */
const KEPT_AFTER_MS = 60_000;
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
  const unspent = listed.filter(([, expiresAt]) => expiresAt + KEPT_AFTER_MS > past).map(([id]) => id);
  for (let start = 0; start < unspent.length; start += PAGE) {
    for (const [target, denial] of await judgePage(ledger, unspent.slice(start, start + PAGE), covered))
      add(found.get(target), denial);
  }
  return {
    denials: found,
    spent: listed.filter(([, expiresAt]) => expiresAt + KEPT_AFTER_MS <= past).map(([id]) => id),
  };
}

/** They need not be told of any more, and are told of until this is done. */
export const forgetSpent = async ({ records }: Pick<Ledger, 'records'>, spent: readonly string[]): Promise<void> => {
  await Promise.all(spent.map((id) => records.commit({ unindex: [[toldIndex(shardOf(id)), id]] })));
};

async function listedIn({ records }: Ledger): Promise<[id: string, expiresAt: number][]> {
  const shards = await Promise.all(
    SHARDS.map(async (shard) => {
      const all: [string, number][] = [];
      for (;;) {
        const last = all.at(-1);
        const page = await records.range(toldIndex(shard), {
          ...(last && { after: [last[1], last[0]] satisfies [number, string] }),
          limit: PAGE,
        });
        all.push(...page);
        if (page.length < PAGE) return all;
      }
    }),
  );
  return shards.flat();
}

async function judgePage(
  ledger: Ledger,
  ids: readonly string[],
  covered: (credential: Credential) => boolean,
): Promise<[target: string, Denial][]> {
  const found = await recall(ledger, ids);
  const seen = await ledger.log.look([...new Set(found.flatMap(({ own }) => own))]);
  return found.flatMap((one): [string, Denial][] => {
    const { credential } = one;
    return isDead(one, seen) && !covered(credential) ? [[credential.target, denialOf(one, seen)]] : [];
  });
}

/** The record of a task remembers its end longer than the log. */
const isDead = ({ credential, task, own }: Recalled, { epoch, on }: Seen): boolean =>
  task.ended !== undefined ||
  death('credential', parseEpoch(credential.epoch), epoch.generation, on(own)) !== undefined;

/**
 * A workload's sessions of before a cutoff, when none with that number can be born again; else a task, when nothing can be
 * born under it again; else itself.
 */
function denialOf({ credential, task, ofTask }: Recalled, seen: Seen): Denial {
  const { id, target, expiresAt, workloadSeq = 0, epoch } = credential;
  const workload = task.workload.id;
  const rest = { until: expiresAt, workload };
  const { generation } = seen.epoch;
  const isOfThisLog = parseEpoch(epoch).generation === generation;
  if (isOfThisLog && workloadSeq < latestCut(seen, sessionCuts(target, workload)))
    return { kind: 'generation', value: `${cause('workload', workload)}@${workloadSeq}`, ...rest };
  const taskIsDead =
    task.ended !== undefined || death('task', parseEpoch(task.epoch), generation, seen.on(ofTask)) !== undefined;
  return taskIsDead ? { kind: 'task', value: task.id, ...rest } : { kind: 'credential', value: id, ...rest };
}

function add(denials: Map<string, Denial> | undefined, denial: Denial): void {
  const key = `${denial.kind}:${denial.value}`;
  const until = Math.max(denial.until, denials?.get(key)?.until ?? 0);
  denials?.set(key, { ...denial, until });
}
