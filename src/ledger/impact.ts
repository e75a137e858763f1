/**
 * The blast radius: what hangs on a selector and lives. Read-only, in pages; the same walk previews a revocation (dry run)
 * and counts what one has killed, by judging everything with the tombstone that lay there before.
 */
import { isEnforced, type Credential } from '../domain/credential.js';
import { credentialCauses, taskCauses } from '../domain/hangs-on.js';
import { death, parseEpoch } from '../domain/liveness.js';
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
  byTarget: Record<string, number>;
  byOwner: Record<string, number>;
  /** The latest natural end of tokens that were counted, milliseconds: the bound where nobody asks online. */
  latestEnd: number;
  /** By target, of those counted that their target must be told of: how many, and the latest end. */
  sessions: Record<string, { count: number; latestEnd: number }>;
}

interface Judgement {
  selector: Selector;
  /** The moment at which it must have lived, milliseconds. */
  at: number;
  /** With a published entry: its number, and the tombstone it joined. What was born later, or dead before, does not count. */
  published?: { seq: number; before: string | undefined };
  /** Where it matters only whether there are more: stops when so many tasks are hit, or were looked at. */
  enough?: { hit: number; lookedAt: number };
}

export async function countImpact(ledger: Ledger, judgement: Judgement): Promise<Affected> {
  const tally: Tally = {
    credentials: 0,
    tasks: 0,
    byTarget: new Map(),
    byOwner: new Map(),
    latestEnd: 0,
    sessions: {},
  };
  let lookedAt = 0;
  for await (const page of tasksUnder(ledger, judgement.selector)) {
    await countPage(ledger, judgement, page, tally);
    lookedAt += page.length;
    if (judgement.enough && (tally.tasks > judgement.enough.hit || lookedAt > judgement.enough.lookedAt)) {
      tally.tasks = Math.max(tally.tasks, judgement.enough.hit + 1); // Nobody knows how many more.
      break;
    }
  }
  const { byTarget, byOwner, ...rest } = tally;
  return { ...rest, byTarget: Object.fromEntries(byTarget), byOwner: Object.fromEntries(byOwner) };
}

/** Maps while it counts: an owner may be named like a member that every object has. */
interface Tally extends Omit<Affected, 'byTarget' | 'byOwner'> {
  byTarget: Map<string, number>;
  byOwner: Map<string, number>;
}

async function countPage(ledger: Ledger, judgement: Judgement, page: Task[], tally: Tally): Promise<void> {
  const { at, selector } = judgement;
  const causesOf = new Map(page.map((task) => [task.id, taskCauses(task)]));
  const under = new Map(page.map((task) => [task.id, task]));
  const listed = page.flatMap((task) => task.credentials.filter(({ expiresAt }) => expiresAt > at).map(({ id }) => id));
  const credentials = await readCredentials(ledger, listed);
  const found = credentials.flatMap((credential) => {
    const task = under.get(credential.task);
    return task ? [{ credential, task, own: credentialCauses(credential, task) }] : [];
  });
  const causes = new Set([...[...causesOf.values()].flat(), ...found.flatMap(({ own }) => own)]);
  const lived = judge(judgement, await ledger.log.look([...causes]));

  const hit = causeOf(selector);
  for (const task of page) {
    const own = causesOf.get(task.id) ?? [];
    if (task.deadline > at && own.includes(hit) && lived('task', task.epoch, own)) tally.tasks += 1;
  }
  for (const { credential, task, own } of found) {
    if (own.includes(hit) && lived('credential', credential.epoch, own)) add(tally, credential, task);
  }
}

/** Alive just before: by the log as it stands, with this very revocation and all later ones taken back. */
function judge({ selector, published }: Judgement, seen: Seen) {
  const hit = causeOf(selector);
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

function add(tally: Tally, credential: Credential, { workload }: Task): void {
  const { target, expiresAt } = credential;
  tally.credentials += 1;
  addOne(tally.byTarget, target);
  addOne(tally.byOwner, workload.owner ?? 'unknown');
  if (!isEnforced(credential)) tally.latestEnd = Math.max(tally.latestEnd, expiresAt);
  else {
    const { count, latestEnd } = tally.sessions[target] ?? { count: 0, latestEnd: 0 };
    tally.sessions[target] = { count: count + 1, latestEnd: Math.max(latestEnd, expiresAt) };
  }
}

const addOne = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
