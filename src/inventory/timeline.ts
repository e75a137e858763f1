/**
 * The timeline of a task or a workload, from the audit log, oldest first: what was opened, granted, refused and presented, and
 * the signals and revocations that hit the subject, whether they named it, something it belongs to, or a part of it.
 */
import { parseEntry, type AuditEntry } from '../audit/event.js';
import type { AuditLog } from '../audit/log.js';
import type { Deps } from '../authorization/deps.js';
import type { Permitted } from '../authorization/permission.js';
import { defined } from '../domain/defined.js';
import type { Selector } from '../domain/selector.js';
import { readCredentials } from '../ledger/credentials.js';
import type { Ledger } from '../ledger/ledger.js';
import { readTasks } from '../ledger/tasks.js';
import { subjectOf, type About, type TimelineSubject } from './timeline-subject.js';

interface TimelineRequest {
  about: About;
  /** Milliseconds; `from` inclusive, `to` exclusive. */
  from?: number;
  to?: number;
  /** The number of the last line of the page before. */
  after?: number;
  limit: number;
}

interface Timeline {
  entries: AuditEntry[];
  /** The number to continue after. A page that is not the last may still hold fewer entries than asked for, even none. */
  next?: number;
}

type TimelineDeps = Pick<Deps, 'settings'> & { ledger: Ledger; audit: Pick<AuditLog, 'page'> };

/** The records of so many entries are read at once, to know whether these concern the subject. */
const CANDIDATES = 500;
/** A page reads a bounded number of lines. So an answer does too. */
const PAGES_AN_ANSWER = 4;

export async function readTimeline(
  deps: TimelineDeps,
  _: Permitted<'readAudit'>,
  request: TimelineRequest,
): Promise<Timeline> {
  const { about, to, after = 0, limit } = request;
  const subject = await subjectOf(deps, about);
  const from = request.from ?? subject.since;
  const filter = defined({ from, to });
  const found: AuditEntry[] = [];
  let cursor = after;
  for (let pages = 0; pages < PAGES_AN_ANSWER; pages += 1) {
    const candidates = new Map<string, Candidate>();
    const { lines, next } = await deps.audit.page({
      after: cursor,
      limit: CANDIDATES,
      filter,
      concerns: (line) => noted(candidates, line, classify(subject, parseEntry(line))),
    });
    found.push(
      ...(await concerning(
        deps.ledger,
        subject,
        lines.flatMap((line) => candidates.get(line) ?? []),
      )),
    );
    if (found.length > limit || (found.length === limit && next !== undefined)) return cutTo(found, limit);
    if (next === undefined) return { entries: found };
    cursor = next;
  }
  return { entries: found, next: cursor };
}

interface Candidate {
  entry: AuditEntry;
  /** Selectors whose records decide. Empty: the entry concerns the subject for certain. */
  parts: Selector[];
}

function noted(candidates: Map<string, Candidate>, line: string, found: Candidate | undefined): boolean {
  if (found) candidates.set(line, found);
  return found !== undefined;
}

/** Returns undefined for an entry that certainly does not concern the subject. */
function classify(subject: TimelineSubject, entry: AuditEntry): Candidate | undefined {
  if (subject.isOwn(entry)) return { entry, parts: [] };
  const named = selectorsIn(entry);
  if (named.some((selector) => subject.isHit(selector, entry))) return { entry, parts: [] };
  const parts = named.filter(({ kind }) => subject.parts.includes(kind));
  return parts.length > 0 ? { entry, parts } : undefined;
}

function selectorsIn({ revocation, signal }: AuditEntry): Selector[] {
  const selectors = [revocation?.selector, ...(signal?.about ?? []), signal?.reaction?.selector];
  return selectors.filter((selector) => selector !== undefined);
}

/** Returns the entries that concern the subject. A part whose record is gone counts as somebody else's. */
async function concerning(ledger: Ledger, subject: TimelineSubject, candidates: Candidate[]): Promise<AuditEntry[]> {
  const named = (kind: Selector['kind']): string[] => [
    ...new Set(candidates.flatMap(({ parts }) => parts.filter((one) => one.kind === kind).map(({ value }) => value))),
  ];
  const credentials = await readCredentials(ledger, named('credential'));
  const tasks = await readTasks(ledger, [...new Set([...named('task'), ...credentials.map(({ task }) => task)])]);
  const own = new Set(tasks.flatMap(({ value }) => (subject.owns(value) ? [value.id] : [])));
  for (const { id, task } of credentials) if (own.has(task)) own.add(id);
  return candidates.flatMap(({ entry, parts }) =>
    parts.length === 0 || parts.some(({ value }) => own.has(value)) ? [entry] : [],
  );
}

function cutTo(found: AuditEntry[], limit: number): Timeline {
  const entries = found.slice(0, limit);
  const next = entries.at(-1)?.seq;
  return defined({ entries, next });
}
