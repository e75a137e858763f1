/**
 * The timeline of a task or a workload, oldest first, from the audit log: what was opened, granted, refused and presented, and
 * the signals and revocations that hit it, whether they named it, what it belongs to, or a part of it.
 */
import { defined } from '../domain/defined.js';
import { parseEntry, type AuditEntry } from '../audit/event.js';
import type { AuditLog } from '../audit/log.js';
import type { Selector } from '../domain/selector.js';
import { readCredentials } from '../ledger/credentials.js';
import type { Ledger } from '../ledger/ledger.js';
import { readTasks } from '../ledger/tasks.js';
import type { Deps } from '../authorization/deps.js';
import { subjectOf, type About, type TimelineSubject } from './timeline-subject.js';

interface TimelineRequest {
  about: About;
  /** Milliseconds; `from` inclusive, `to` exclusive. */
  from?: number;
  to?: number;
  /** The number of the last line that was read. */
  after?: number;
  limit: number;
}

interface Timeline {
  entries: AuditEntry[];
  /** A page may hold fewer than asked, even none, and yet not be the last. */
  next?: number;
}

type TimelineDeps = Pick<Deps, 'settings'> & { ledger: Ledger; audit: Pick<AuditLog, 'page'> };

/** What must be looked up to know whether it concerns the subject, at once. */
const CANDIDATES = 500;
/** Each looks at a bounded number of lines, and so does an answer. */
const PAGES_AN_ANSWER = 4;

export async function readTimeline(deps: TimelineDeps, request: TimelineRequest): Promise<Timeline> {
  const { about, to, after = 0, limit } = request;
  const subject = await subjectOf(deps, about);
  const from = request.from ?? subject.since;
  const filter = defined({ from, to });
  const found: AuditEntry[] = [];
  let cursor = after;
  for (let pages = 0; pages < PAGES_AN_ANSWER; pages += 1) {
    const judged = new Map<string, Judged>();
    const { lines, next } = await deps.audit.page({
      ...{ after: cursor, limit: CANDIDATES, filter },
      concerns: (line) => noted(judged, line, judge(subject, parseEntry(line))),
    });
    found.push(
      ...(await concerning(
        deps.ledger,
        subject,
        lines.flatMap((line) => judged.get(line) ?? []),
      )),
    );
    if (found.length > limit || (found.length === limit && next !== undefined)) return cutTo(found, limit);
    if (next === undefined) return { entries: found };
    cursor = next;
  }
  return { entries: found, next: cursor };
}

interface Judged {
  entry: AuditEntry;
  /** What must be looked up; none: it concerns the subject for sure. */
  parts: Selector[];
}

function noted(judged: Map<string, Judged>, line: string, found: Judged | undefined): boolean {
  if (found) judged.set(line, found);
  return found !== undefined;
}

/** Undefined: it concerns others. */
function judge(subject: TimelineSubject, entry: AuditEntry): Judged | undefined {
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

/** Tasks and credentials of others drop out. What is no longer remembered is nobody's. */
async function concerning(ledger: Ledger, subject: TimelineSubject, judged: Judged[]): Promise<AuditEntry[]> {
  const named = (kind: Selector['kind']): string[] => [
    ...new Set(judged.flatMap(({ parts }) => parts.filter((one) => one.kind === kind).map(({ value }) => value))),
  ];
  const credentials = await readCredentials(ledger, named('credential'));
  const tasks = await readTasks(ledger, [...new Set([...named('task'), ...credentials.map(({ task }) => task)])]);
  const own = new Set(tasks.flatMap(({ value }) => (subject.owns(value) ? [value.id] : [])));
  for (const { id, task } of credentials) if (own.has(task)) own.add(id);
  return judged.flatMap(({ entry, parts }) =>
    parts.length === 0 || parts.some(({ value }) => own.has(value)) ? [entry] : [],
  );
}

function cutTo(found: AuditEntry[], limit: number): Timeline {
  const entries = found.slice(0, limit);
  const next = entries.at(-1)?.seq;
  return defined({ entries, next });
}
