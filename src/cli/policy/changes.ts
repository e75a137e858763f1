/** What would have been answered otherwise, added up: one line for each party, action and place, however often it was asked. */
import type { AuditEntry } from '../../audit/event.js';
import { isPattern } from '../../domain/access.js';
import { uniteNeeds } from '../../domain/approval.js';
import { defined } from '../../domain/defined.js';
import type { PolicyQuery } from '../../policy/query.js';
import { answerText, isSameAnswer } from '../../policy/same-answer.js';
import type { Answer, Recorded } from './replay.js';

/** One side of a change. */
type Side = Omit<Answer, 'query'>;

export interface Change {
  who: string;
  action: string;
  /** A path, a pattern that covers all paths of the group, or what else the action is on. */
  resource: string;
  from: Side;
  to: Side;
  count: number;
  /** Milliseconds. */
  first: number;
  last: number;
  /** The id of one of the decisions. */
  example: string;
}

export interface Changes {
  /** Returns whether the answer is another than what was decided. */
  add(entry: AuditEntry, recorded: Recorded, answer: Answer): boolean;
  /** The most frequent first. */
  groups(): Change[];
  /** Changed decisions that are in no group, because there are too many groups. */
  beyond(): number;
}

const GROUPS_MOST = 5_000;

export function addUpChanges(most = GROUPS_MOST): Changes {
  const groups = new Map<string, Change>();
  let beyond = 0;
  return {
    add(entry, { record }, { query, ...to }) {
      const { outcome, lifetimeSeconds, needs, policies } = record;
      const from: Side = defined({ outcome, lifetimeSeconds, needs: needs && uniteNeeds(needs), policies });
      if (isSameAnswer(from, to)) return false;
      const { principal, action } = query;
      const key = JSON.stringify([principal.id, action, folderOf(query), answerText(from), answerText(to)]);
      const found = groups.get(key);
      const times = entry.times ?? 1;
      if (found) {
        found.count += times;
        found.last = entry.at;
        found.resource = joined(found.resource, placeOf(query));
      } else if (groups.size < most) {
        const [count, example, resource] = [times, record.id, placeOf(query)];
        groups.set(key, {
          who: principal.id,
          action,
          resource,
          from,
          to,
          count,
          first: entry.at,
          last: entry.at,
          example,
        });
      } else beyond += times;
      return true;
    },
    groups: () => [...groups.values()].sort((a, b) => b.count - a.count),
    beyond: () => beyond,
  };
}

function placeOf({ resource }: PolicyQuery): string {
  switch (resource.type) {
    case 'resource':
      return `${resource.target}#${resource.path}`;
    case 'target':
      return resource.target;
    case 'task':
      return `tasks of ${resource.task.workload.id}`;
    case 'approval':
      return 'approvals';
    default:
      return 'the broker';
  }
}

/** Paths beneath the same first segment are one group. */
function folderOf(query: PolicyQuery): string {
  const { resource } = query;
  return resource.type === 'resource' ? `${resource.target}#${resource.path.split('/')[0] ?? ''}` : placeOf(query);
}

/** Returns the place, or the pattern of all that is beneath what both have in common. */
function joined(one: string, other: string): string {
  if (one === other) return one;
  const [a, b] = [segmentsOf(one), segmentsOf(other)];
  const differs = a.findIndex((segment, index) => segment !== b[index]);
  return [...a.slice(0, differs < 0 ? a.length : differs), '**'].join('/');
}

/** Without `**` at the end: it stands for whatever follows. */
const segmentsOf = (place: string): string[] => {
  const segments = place.split('/');
  return isPattern(place) && segments.at(-1) === '**' ? segments.slice(0, -1) : segments;
};
