/**
 * What ends what: the selectors that a task or a credential hangs on, and their causes. A revocation of any of them ends it. No
 * other file says so. The causes in a token, the question to the log and the answer of `GET /credentials/{id}` all come from
 * here, so they cannot disagree.
 */
import { isEnforced, type Credential } from './credential.js';
import { emailValue, type PartyRef, type RememberedPerson } from './party.js';
import { ALL, cause, causeOf, causesOf, distinct, EVERYTHING, type Cause, type Selector } from './selector.js';
import type { Task } from './task.js';

/** A party with its claims, where there are any: the address of a person is a claim of their own token. */
type NamedParty = PartyRef & Pick<RememberedPerson, 'claims'>;
type TaskNames = Pick<Task, 'id' | 'lineage' | 'workload' | 'principal' | 'openedBy' | 'inherits' | 'formerly'>;
type CredentialNames = Pick<Credential, 'id' | 'target' | 'workloadSeq' | 'from'>;

/**
 * Returns everything a credential hangs on, as selectors. The record of a task has what it inherits as causes alone: the
 * records of the ancestors name them. If one of these is gone, `unnamedCauses` returns what is missing here.
 * @param ancestors The records of `task.lineage`, as far as they still exist.
 */
export const hangsOn = (credential: CredentialNames, task: TaskNames, ancestors: readonly TaskNames[]): Selector[] =>
  distinct([
    { kind: 'credential', value: credential.id },
    ...ofTask(task),
    ...inherited(task, ancestors),
    ...atTarget(credential, task),
    EVERYTHING,
  ]);

/** Returns the causes of everything a credential hangs on: a token carries them, and the log is asked for them. */
export const credentialCauses = (credential: CredentialNames, task: TaskNames): Cause[] => [
  ...new Set([cause('credential', credential.id), ...taskCauses(task), ...causesOf(atTarget(credential, task))]),
];

/** Returns the causes of everything a task hangs on. Those of a child contain those of its parent. */
export const taskCauses = (task: TaskNames): Cause[] => [
  ...new Set([...causesOf(ofTask(task)), ...(task.inherits ?? []), ALL]),
];

/** Returns the causes of a party by itself. The log is asked for them whenever the party calls. */
export const partyCauses = (party: NamedParty): Cause[] => causesOf(ofParty(party));

/** Returns the causes of a credential that these selectors do not name: those of an ancestor whose record is gone. */
export function unnamedCauses(credential: CredentialNames, task: TaskNames, named: readonly Selector[]): Cause[] {
  const known = new Set(causesOf(named));
  return credentialCauses(credential, task).filter((one) => !known.has(one));
}

/**
 * Returns the task with other parties. It still hangs on everything that it hung on before: otherwise a task that was ended by
 * its team would live again as soon as its workload has another team, and one that was ended by an address as soon as the
 * person's token says another.
 */
export function changeParties(
  task: Task,
  parties: Partial<Pick<Task, 'workload' | 'principal' | 'principalProven'>>,
): Task {
  const next = { ...task, ...parties };
  const still = new Set(causesOf(ofTask(next)));
  const left = ofTask(task).filter((selector) => !still.has(causeOf(selector)));
  if (left.length === 0) return next;
  const all = [...(task.formerly ?? []), ...left];
  const [formerly, unnamed] = [all.slice(0, FORMER_NAMES_MOST), all.slice(FORMER_NAMES_MOST)];
  if (unnamed.length === 0) return { ...next, formerly };
  return { ...next, formerly, inherits: [...new Set([...(task.inherits ?? []), ...causesOf(unnamed)])] };
}

/** A claim that changes with every token must not fill the record with names: beyond these only the short causes are kept. */
const FORMER_NAMES_MOST = 8;

/**
 * Returns the selectors whose risk counts for a request under a task, the narrowest first: the given credentials, the task and
 * those above it, its workload, and its principal. Issuers and teams have no risk.
 */
export const risksFor = (task: TaskNames, credentials: readonly string[]): Selector[] =>
  distinct([
    ...credentials.map((value): Selector => ({ kind: 'credential', value })),
    ...lineOf(task),
    ...namesOf(task.workload),
    ...served(task),
  ]);

/** Returns the value of a `target` selector for one workload's credentials at a target. To cut these off ends no task. */
export const sessionsOf = (target: string, workload: string): string => `${target}#${workload}`;

/** Returns the causes whose cutoffs and holds divide a workload's sessions at a target into those before and those after. */
export const sessionCuts = (target: string, workload: string): Cause[] =>
  causesOf([
    { kind: 'workload', value: workload },
    { kind: 'target', value: sessionsOf(target, workload) },
  ]);

/** Returns what the record of a task names by itself: its line, its parties, and what it hung on before they changed. */
const ofTask = (task: TaskNames): Selector[] => [
  ...lineOf(task),
  ...[task.workload, task.openedBy, task.principal].flatMap((party) => (party ? ofParty(party) : [])),
  ...served(task),
  ...(task.formerly ?? []),
];

/**
 * Returns the selectors of the ancestors that the task inherited. An ancestor may have changed since: a child keeps
 * the selectors that its ancestors had when it was opened.
 */
function inherited({ inherits = [] }: TaskNames, ancestors: readonly TaskNames[]): Selector[] {
  const causes = new Set(inherits);
  return ancestors.flatMap(ofTask).filter((selector) => causes.has(causeOf(selector)));
}

function atTarget({ target, workloadSeq, from }: CredentialNames, { workload }: TaskNames): Selector[] {
  const sessions: Selector[] = isEnforced({ workloadSeq })
    ? [{ kind: 'target', value: sessionsOf(target, workload.id) }]
    : [];
  const derived: Selector[] = from
    ? [
        { kind: 'credential', value: from.credential },
        { kind: 'target', value: from.target },
      ]
    : [];
  return [{ kind: 'target', value: target }, ...sessions, ...derived];
}

const lineOf = ({ id, lineage }: TaskNames): Selector[] =>
  [id, ...lineage].map((value): Selector => ({ kind: 'task', value }));

/** Returns the selectors of whom the task serves. A workload that serves nobody else is its own principal. */
const served = ({ workload, principal }: TaskNames): Selector[] => asPrincipal(principal ?? workload);

const ofParty = (party: NamedParty): Selector[] => [
  ...namesOf(party),
  { kind: 'issuer', value: party.issuer },
  ...(party.owner === undefined ? [] : [{ kind: 'owner', value: party.owner } as const]),
];

const namesOf = (party: NamedParty): Selector[] =>
  party.kind === 'workload' ? [{ kind: 'workload', value: party.id }] : asPrincipal(party);

function asPrincipal({ id, issuer, claims }: NamedParty): Selector[] {
  const address = claims?.['email'];
  return [
    { kind: 'principal', value: id },
    ...(address === undefined ? [] : [{ kind: 'principal', value: emailValue(issuer, address) } as const]),
  ];
}
