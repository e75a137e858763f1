/**
 * The blast radius: what hangs on a selector and lives. Read-only, in pages; the same walk previews a revocation (dry run)
 * and counts what one has killed, by judging everything with the tombstone that lay there before.
 */
import { credentialCauses, type Credential } from '../domain/credential.js';
import { death, parseEpoch } from '../domain/liveness.js';
import { cause, type Cause, type Selector } from '../domain/selector.js';
import { taskCauses, type Task } from '../domain/task.js';
import { parseTombstone, type Tombstone } from '../domain/tombstone.js';
import { readCredentials } from './credentials.js';
import type { Ledger } from './ledger.js';
import type { Seen } from './revocation-log.js';
import { tasksUnder } from './tasks-under.js';

export interface Affected {
  credentials: number;
  tasks: number;
  byTarget: Record<string, number>;
  byOwner: Record<string, number>;
  /** The latest natural end of what was counted, milliseconds: the bound where nobody asks online. */
  latestEnd: number;
}

interface Judgement {
  selector: Selector;
  /** The moment at which it must have lived, milliseconds. */
  at: number;
  /** With a published entry: its number, and the tombstone it joined. What was born later, or dead before, does not count. */
  published?: { seq: number; before: string | undefined };
}

export async function countImpact(ledger: Ledger, judgement: Judgement): Promise<Affected> {
  const affected: Affected = { credentials: 0, tasks: 0, byTarget: {}, byOwner: {}, latestEnd: 0 };
  for await (const page of tasksUnder(ledger, judgement.selector)) await countPage(ledger, judgement, page, affected);
  return affected;
}

async function countPage(ledger: Ledger, judgement: Judgement, page: Task[], affected: Affected): Promise<void> {
  const { at, selector } = judgement;
  const under = new Map(page.map((task) => [task.id, task]));
  const listed = page.flatMap((task) => task.credentials.filter(({ expiresAt }) => expiresAt > at).map(({ id }) => id));
  const credentials = await readCredentials(ledger, listed);
  const found = credentials.flatMap((credential) => {
    const task = under.get(credential.task);
    return task ? [{ credential, task }] : [];
  });
  const causes = new Set([
    ...page.flatMap(taskCauses),
    ...found.flatMap(({ credential, task }) => credentialCauses(credential, task)),
  ]);
  const lived = judge(judgement, await ledger.log.look([...causes]));

  const hit = cause(selector.kind, selector.value);
  for (const task of page) {
    if (task.deadline > at && taskCauses(task).includes(hit) && lived('task', task.epoch, taskCauses(task)))
      affected.tasks += 1;
  }
  for (const { credential, task } of found) {
    const own = credentialCauses(credential, task);
    if (own.includes(hit) && lived('credential', credential.epoch, own)) add(affected, credential, task);
  }
}

/** Alive just before: by the log as it stands, with this very revocation and all later ones taken back. */
function judge({ selector, published }: Judgement, seen: Seen) {
  const hit: Cause = cause(selector.kind, selector.value);
  const before: Tombstone | undefined = published?.before === undefined ? undefined : parseTombstone(published.before);
  return (kind: 'task' | 'credential', epochText: string, causes: Cause[]): boolean => {
    const epoch = parseEpoch(epochText);
    if (published && epoch.seq >= published.seq) return false;
    const tombstones = published
      ? causes.map((one) => (one === hit ? before : asOf(published.seq, seen.on([one])[0])))
      : seen.on(causes);
    return death(kind, epoch, seen.epoch.generation, tombstones) === undefined;
  };
}

/** A later cutoff or pause may lie over an earlier one: it then counts too much rather than too little. */
function asOf(seq: number, tombstone: Tombstone | undefined): Tombstone | undefined {
  if (!tombstone) return undefined;
  const { ended, cut, pause, ...rest } = tombstone;
  return {
    ...rest,
    ...(ended && ended.seq < seq && { ended }),
    ...(cut && cut.seq < seq && { cut }),
    ...(pause !== undefined && pause < seq && { pause }),
  };
}

function add(affected: Affected, { target, expiresAt }: Credential, { workload }: Task): void {
  const owner = workload.owner ?? 'unknown';
  affected.credentials += 1;
  affected.byTarget[target] = (affected.byTarget[target] ?? 0) + 1;
  affected.byOwner[owner] = (affected.byOwner[owner] ?? 0) + 1;
  affected.latestEnd = Math.max(affected.latestEnd, expiresAt);
}
