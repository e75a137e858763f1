/**
 * What ends what: the selectors that a task or a credential hangs on, and their causes. A revocation of any of them ends it. No
 * other file says so. The causes in a token, the question to the log and the answer of `GET /credentials/{id}` all come from
 * here, so they cannot disagree.
 */
import { isEnforced, type Credential } from './credential.js';
import { emailValue, runOf, type Party, type PartyRef, type RememberedPerson } from './party.js';
import {
  ALL,
  cause,
  causeOf,
  causesOf,
  distinct,
  EVERYTHING,
  type Cause,
  type Selector,
  type SelectorKind,
} from './selector.js';
import type { Task } from './task.js';

/** A party with its claims, where there are any: the address of a person is a claim of their own token. */
type NamedParty = PartyRef & Pick<RememberedPerson, 'claims'>;
type TaskNames = Pick<
  Task,
  'id' | 'lineage' | 'workload' | 'principal' | 'openedBy' | 'run' | 'chain' | 'handedOn' | 'inherits' | 'formerly'
>;
type CredentialNames = Pick<Credential, 'id' | 'target' | 'subject' | 'session' | 'workloadSeq' | 'from'>;

/**
 * Takes one selector at a time. Each rule below says what something hangs on by calling it, so the rule is written once for
 * selectors and for causes, and an exchange, which wants causes some forty times, makes no lists of selectors for them.
 */
type Name = (kind: SelectorKind, value: string) => void;

/**
 * Returns everything a credential hangs on, as selectors. The record of a task has what it inherits as causes alone: the
 * records of the ancestors name them. If one of these is gone, `unnamedCauses` returns what is missing here.
 * @param above The records of `task.lineage` and of `task.handedOn`, as far as they still exist.
 */
export const hangsOn = (credential: CredentialNames, task: TaskNames, above: Above = NOTHING_ABOVE): Selector[] =>
  selectorsNamed((name) => {
    name('credential', credential.id);
    nameTask(task, name);
    for (const selector of inherited(task, above)) name(selector.kind, selector.value);
    nameIssue(credential, task, name);
    name(EVERYTHING.kind, EVERYTHING.value);
  });

interface Above {
  ancestors: readonly TaskNames[];
  credentials: readonly CredentialNames[];
}

const NOTHING_ABOVE: Above = { ancestors: [], credentials: [] };

/** Returns the causes of everything a credential hangs on: a token carries them, and the log is asked for them. */
export const credentialCauses = (credential: CredentialNames, task: TaskNames): Cause[] =>
  causesNamed((name, add) => {
    name('credential', credential.id);
    addTask(task, name, add);
    nameIssue(credential, task, name);
  });

/** Returns the causes of everything a task hangs on. Those of a child contain those of its parent. */
export const taskCauses = (task: TaskNames): Cause[] => causesNamed((name, add) => addTask(task, name, add));

/** Returns the causes of a party by itself. The log is asked for them whenever the party calls. */
export const partyCauses = (party: NamedParty): Cause[] => causesNamed((name) => nameParty(party, name));

/** Returns the cause of the run that a party's token names, if it names one. Births on that token ask the log for it too. */
export const runCauses = (party: Pick<Party, 'issuer' | 'run'>): Cause[] => {
  const run = runOf(party);
  return run === undefined ? [] : [cause('run', run)];
};

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
  const still = new Set(causesNamed((name) => nameTask(next, name)));
  const left = selectorsNamed((name) => nameTask(task, name)).filter((selector) => !still.has(causeOf(selector)));
  if (left.length === 0) return next;
  const all = [...(task.formerly ?? []), ...left];
  const [formerly, unnamed] = [all.slice(0, FORMER_NAMES_MOST), all.slice(FORMER_NAMES_MOST)];
  if (unnamed.length === 0) return { ...next, formerly };
  return { ...next, formerly, inherits: [...new Set([...(task.inherits ?? []), ...causesOf(unnamed)])] };
}

/** A claim that changes with every token must not fill the record with names: beyond these only the short causes are kept. */
const FORMER_NAMES_MOST = 8;

/**
 * Returns the selectors whose risk counts for a request under a task, the narrowest first: the given credentials and subject,
 * the task with those above it and the credentials that it was handed on by, the workloads of all these, and its principal. Issuers
 * and teams have no risk.
 * @param by The subject of the party that asks, and the session of the person it asks for. Neither need be that by which the task
 * was opened.
 */
export const risksFor = (
  task: TaskNames,
  credentials: readonly string[],
  by: Pick<Credential, 'subject' | 'session'> = {},
): Selector[] =>
  selectorsNamed((name) => {
    for (const id of credentials) name('credential', id);
    nameProof(by, name);
    nameLine(task, name);
    for (const workload of [task.workload, ...(task.chain ?? [])]) nameItself(workload, name);
    nameServed(task, name);
  });

/** Returns the value of a `target` selector for one workload's credentials at a target. To cut these off ends no task. */
export const sessionsOf = (target: string, workload: string): string => `${target}#${workload}`;

/** Returns the causes whose cutoffs and holds divide a workload's sessions at a target into those before and those after. */
export const sessionCuts = (target: string, workload: string): Cause[] =>
  causesOf([
    { kind: 'workload', value: workload },
    { kind: 'target', value: sessionsOf(target, workload) },
  ]);

/**
 * Returns the selectors of the ancestors that the task inherited. An ancestor may have changed since: a child keeps
 * the selectors that its ancestors had when it was opened.
 */
function inherited(task: TaskNames, { ancestors, credentials }: Above): Selector[] {
  const causes = new Set(task.inherits);
  const named = selectorsNamed((name) => {
    for (const ancestor of ancestors) nameTask(ancestor, name);
    for (const credential of credentials) nameIssue(credential, task, name);
  });
  return named.filter((selector) => causes.has(causeOf(selector)));
}

function addTask(task: TaskNames, name: Name, add: (cause: Cause) => void): void {
  nameTask(task, name);
  task.inherits?.forEach(add);
  add(ALL);
}

/** Names what the record of a task names by itself: its line, its parties, and what it hung on before they changed. */
function nameTask(task: TaskNames, name: Name): void {
  nameLine(task, name);
  for (const party of [task.workload, task.openedBy, task.principal]) if (party) nameParty(party, name);
  nameServed(task, name);
  if (task.run !== undefined) name('run', task.run);
  for (const { kind, value } of task.formerly ?? []) name(kind, value);
}

/** Names what a credential hangs on besides itself and its task: to whom it was issued, for which target, and from what. */
function nameIssue(credential: CredentialNames, { workload }: TaskNames, name: Name): void {
  const { target, workloadSeq, from } = credential;
  nameProof(credential, name);
  name('target', target);
  if (isEnforced({ workloadSeq })) name('target', sessionsOf(target, workload.id));
  if (!from) return;
  name('credential', from.credential);
  name('target', from.target);
}

/** Names by what the request was proven: a run of the workload, and a login session of the person. */
function nameProof({ subject, session }: Pick<Credential, 'subject' | 'session'>, name: Name): void {
  if (subject !== undefined) name('subject', subject);
  if (session !== undefined) name('session', session);
}

function nameLine({ id, lineage, handedOn = [] }: TaskNames, name: Name): void {
  name('task', id);
  for (const ancestor of lineage) name('task', ancestor);
  for (const credential of handedOn) name('credential', credential);
}

/** Names whom the task serves. A workload that serves nobody else is its own principal. */
const nameServed = ({ workload, principal }: TaskNames, name: Name): void => namePrincipal(principal ?? workload, name);

function nameParty(party: NamedParty, name: Name): void {
  nameItself(party, name);
  name('issuer', party.issuer);
  if (party.owner !== undefined) name('owner', party.owner);
}

function nameItself(party: NamedParty, name: Name): void {
  if (party.kind === 'person') namePrincipal(party, name);
  else name('workload', party.id);
  if (party.subject !== undefined) name('subject', party.subject);
}

function namePrincipal({ id, issuer, claims, session }: NamedParty, name: Name): void {
  name('principal', id);
  if (session !== undefined) name('session', session);
  const address = claims?.['email'];
  if (typeof address === 'string') name('principal', emailValue(issuer, address));
}

/** Returns the selectors that are named, each once, in the order of their first naming. */
function selectorsNamed(say: (name: Name) => void): Selector[] {
  const found: Selector[] = [];
  say((kind, value) => found.push({ kind, value }));
  return distinct(found);
}

/** Returns the causes of the selectors that are named, and those that are added as they are, each once. */
function causesNamed(say: (name: Name, add: (cause: Cause) => void) => void): Cause[] {
  const found = new Set<Cause>();
  say(
    (kind, value) => found.add(cause(kind, value)),
    (one) => found.add(one),
  );
  return [...found];
}
