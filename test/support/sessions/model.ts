/**
 * A model of what must be alive and what must be dead, as simple as possible: sessions and tasks hang on selectors written as
 * words (`task:…`, `workload:…`), and a revocation of a word takes effect at once on all that hangs on it. It has no numbers,
 * no epochs and no clocks but deadlines.
 */
import type { Effect, SelectorKind } from '../../../src/domain/selector.js';
import { OTHER_ROLE, ROLE } from './memory-aws.js';
import { OPERATOR, runOf } from '../brokers/sessions.js';

export const WORKLOADS = ['lab:red-1', 'lab:red-2', 'ci:blue-1'];
export const ROLES = [ROLE, OTHER_ROLE];
export const PERSON = 'staff:anna';

interface Thing {
  words: Set<string>;
  dead: boolean;
  /** Milliseconds. */
  until: number;
}

/** The owner of a workload is unknown until the workload shows its identity. A revocation of the owner in between counts from then on. */
interface Unproven {
  later: Set<string>;
  deadThen: boolean;
}

export interface Model {
  tasks: Map<string, Thing & Unproven & { workload: string; person: string | undefined }>;
  /** The sessions by the id of their credential. */
  sessions: Map<string, Thing>;
  openTask(
    id: string,
    by: { workload: string; parent?: string; until: number; opened: boolean; person?: string },
  ): void;
  /** Returns whether a session may be minted under this task or, without one, under a new task. */
  mayBear(words: ReadonlySet<string>, task: string | undefined, now: number): boolean;
  bear(id: string, task: string, role: string, until: number): void;
  /** Records that the workload of this task has shown its identity. */
  prove(task: string): void;
  say(word: string, effect: Effect): void;
  /** Lifts one of the holds on this word. */
  lift(word: string): void;
  /** Records that the log lost its past. `holds`: the holds are lost too. */
  loseAll(holds: boolean): void;
}

export function sessionModel(): Model {
  const tasks: Model['tasks'] = new Map();
  const sessions: Model['sessions'] = new Map();
  const holds: string[] = [];

  return {
    tasks,
    sessions,
    openTask(id, { workload, parent, until, opened, ...by }) {
      const above = parent === undefined ? undefined : tasks.get(parent);
      const person = by.person ?? above?.person;
      const words = new Set([
        ...[`task:${id}`, 'all:', `principal:${person ?? workload}`],
        ...(person === undefined ? [] : ['issuer:staff']),
        ...(above?.words ?? []),
        ...wordsOfWorkload(workload).filter((word) => !opened || !(isOwner(word) || isSubject(word))),
        ...(opened ? wordsOfWorkload(OPERATOR) : []),
      ]);
      const later = new Set(opened ? wordsOfWorkload(workload).filter(isOwner) : []);
      const unproven = { later, deadThen: false };
      tasks.set(id, {
        workload,
        person,
        ...unproven,
        words,
        dead: false,
        until: Math.min(until, above?.until ?? Infinity),
      });
    },
    prove(id) {
      const task = tasks.get(id);
      if (!task) return;
      for (const word of task.later) task.words.add(word);
      task.dead ||= task.deadThen;
    },
    mayBear(words, task, now) {
      const under = task === undefined ? undefined : tasks.get(task);
      if (task !== undefined && (!under || under.dead || under.deadThen || under.until <= now)) return false;
      return !holds.some((word) => words.has(word) || under?.words.has(word));
    },
    bear(id, task, role, until) {
      const under = tasks.get(task);
      if (!under) throw new Error('born under nothing');
      const words = new Set([
        ...under.words,
        `credential:${id}`,
        `subject:${runOf(under.workload)}`,
        ...wordsOfRole(role, under.workload),
      ]);
      sessions.set(id, { words, until, dead: false });
    },
    say(word, effect) {
      for (const session of sessions.values()) if (session.words.has(word)) session.dead = true;
      if (effect === 'hold') holds.push(word);
      else
        for (const task of tasks.values()) {
          if (task.words.has(word)) task.dead = true;
          if (task.later.has(word)) task.deadThen = true;
        }
    },
    lift(word) {
      const index = holds.indexOf(word);
      if (index >= 0) holds.splice(index, 1);
    },
    loseAll(alsoHolds) {
      for (const one of [...sessions.values(), ...tasks.values()]) one.dead = true;
      if (alsoHolds) holds.length = 0;
    },
  };
}

const isOwner = (word: string): boolean => word.startsWith('owner:');
const isSubject = (word: string): boolean => word.startsWith('subject:');

function wordsOfWorkload(workload: string): string[] {
  const [issuer = '', rest = ''] = workload.split(':');
  return [
    `workload:${workload}`,
    `subject:${runOf(workload)}`,
    `issuer:${issuer}`,
    `owner:${rest.split('-')[0] ?? ''}`,
  ];
}

const wordsOfRole = (role: string, workload: string): string[] => [`target:${role}`, `target:${role}#${workload}`];

/** Returns the words that must not be held when a session is minted, besides those of its task. */
export function wordsOfBirth(birth: {
  workload: string;
  role: string;
  person: string | undefined;
  underTask: boolean;
}): ReadonlySet<string> {
  const { workload, role, person, underTask } = birth;
  return new Set([
    ...[...wordsOfWorkload(workload), ...wordsOfRole(role, workload), 'all:'],
    ...(underTask ? [] : [`principal:${person ?? workload}`]),
    ...(person === undefined ? [] : ['issuer:staff']),
  ]);
}

/** Returns the values that a revocation can select now, by kind. */
export const sayable = ({ sessions, tasks }: Model): Record<SelectorKind, readonly string[]> => ({
  credential: [...sessions.keys()],
  task: [...tasks.keys()],
  workload: WORKLOADS,
  subject: WORKLOADS.map(runOf),
  // Nor a run.
  run: ['lab:run-1'],
  principal: [PERSON, ...WORKLOADS],
  // Nobody's token says a session here, so to revoke one hits nothing.
  session: ['staff:login-1'],
  issuer: ['lab', 'ci', 'staff'],
  owner: ['red', 'blue'],
  target: [...ROLES, ...ROLES.flatMap((role) => WORKLOADS.map((workload) => `${role}#${workload}`))],
  // Nothing hangs on one.
  drill: [],
  all: [''],
});
