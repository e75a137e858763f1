/**
 * What targets must be told: of all credentials that a target would go on believing, those that are dead, each under the
 * widest name that denies nothing alive. A function of the ledger and the log alone, computed anew each time.
 */
import type { Credential } from '../domain/credential.js';
import { credentialCauses, sessionCuts } from '../domain/credential.js';
import { shardOf, SHARDS } from '../domain/id.js';
import { death, parseEpoch } from '../domain/liveness.js';
import { cause } from '../domain/selector.js';
import { taskCauses, type Task } from '../domain/task.js';
import { readCredentials } from '../ledger/credentials.js';
import type { Ledger } from '../ledger/ledger.js';
import { toldIndex } from '../ledger/names.js';
import { latestCut, type Seen } from '../ledger/revocation-log.js';
import { readTasks } from '../ledger/tasks.js';

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

/** @param covered Whether a credential is denied already, by when it was issued. */
export async function survey(
  ledger: Ledger,
  targets: readonly string[],
  covered: (credential: Credential) => boolean,
): Promise<Survey> {
  const listed = await listedIn(ledger);
  const now = ledger.clock.now();
  const found = new Map(targets.map((target) => [target, new Map<string, Denial>()]));
  const unspent = listed.filter(([, expiresAt]) => expiresAt + KEPT_AFTER_MS > now).map(([id]) => id);
  for (let start = 0; start < unspent.length; start += PAGE) {
    for (const [target, denial] of await judgePage(ledger, unspent.slice(start, start + PAGE), covered))
      add(found.get(target), denial);
  }
  return {
    denials: found,
    spent: listed.filter(([, expiresAt]) => expiresAt + KEPT_AFTER_MS <= now).map(([id]) => id),
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
  const credentials = await readCredentials(ledger, ids);
  const kept = await readTasks(ledger, [...new Set(credentials.map(({ task }) => task))]);
  const tasks = new Map(kept.map(({ value }) => [value.id, value]));
  const found = credentials.flatMap((credential) => {
    const task = tasks.get(credential.task);
    return task ? [{ credential, task, own: credentialCauses(credential, task) }] : [];
  });
  const seen = await ledger.log.look([...new Set(found.flatMap(({ own }) => own))]);
  return found.flatMap(({ credential, task, own }): [string, Denial][] => {
    const denial = isDead(credential, task, own, seen) && !covered(credential) && denialOf(credential, task, seen);
    return denial ? [[credential.target, denial]] : [];
  });
}

/** The record of a task remembers its end longer than the log. */
const isDead = (credential: Credential, task: Task, own: string[], { epoch, on }: Seen): boolean =>
  task.ended !== undefined ||
  death('credential', parseEpoch(credential.epoch), epoch.generation, on(own)) !== undefined;

/**
 * A workload's sessions of before a cutoff, when none with that number can be born again; else a task, when nothing can be
 * born under it again; else itself.
 */
function denialOf({ id, target, expiresAt, workloadSeq = 0, epoch }: Credential, task: Task, seen: Seen): Denial {
  const workload = task.workload.id;
  const rest = { until: expiresAt, workload };
  const { generation } = seen.epoch;
  const isOfThisLog = parseEpoch(epoch).generation === generation;
  if (isOfThisLog && workloadSeq < latestCut(seen, sessionCuts(target, workload)))
    return { kind: 'generation', value: `${cause('workload', workload)}@${workloadSeq}`, ...rest };
  const taskIsDead =
    task.ended !== undefined ||
    death('task', parseEpoch(task.epoch), generation, seen.on(taskCauses(task))) !== undefined;
  return taskIsDead ? { kind: 'task', value: task.id, ...rest } : { kind: 'credential', value: id, ...rest };
}

function add(denials: Map<string, Denial> | undefined, denial: Denial): void {
  const key = `${denial.kind}:${denial.value}`;
  const until = Math.max(denial.until, denials?.get(key)?.until ?? 0);
  denials?.set(key, { ...denial, until });
}
