/**
 * What ends what: the selectors that a task or a credential hangs on, and the causes made from them. A revocation of any of
 * them ends it. Nothing else says so: what a token carries, what the log is asked for, and what
 * `GET /credentials/{id}` answers are all made here, so they cannot disagree.
 */
import { isEnforced, type Credential } from './credential.js';
import { emailValue, type PartyRef, type RememberedPerson } from './party.js';
import { ALL, cause, causeOf, causesOf, distinct, EVERYTHING, type Cause, type Selector } from './selector.js';
import type { Task } from './task.js';

/** A person's address is known only where their own token has said it. */
type NamedParty = PartyRef & Pick<RememberedPerson, 'claims'>;
type TaskNames = Pick<Task, 'id' | 'lineage' | 'workload' | 'principal' | 'openedBy' | 'inherits' | 'formerly'>;
type CredentialNames = Pick<Credential, 'id' | 'target' | 'workloadSeq' | 'from'>;

/**
 * Everything a credential hangs on, by name. What its task inherits is kept as causes alone and is named by the records of
 * the ancestors: see `unnamedCauses` for when one of these is gone.
 * @param ancestors The records of `task.lineage`, as far as there still are any.
 */
export const hangsOn = (credential: CredentialNames, task: TaskNames, ancestors: readonly TaskNames[]): Selector[] =>
  distinct([
    { kind: 'credential', value: credential.id },
    ...ofTask(task),
    ...inherited(task, ancestors),
    ...atTarget(credential, task),
    EVERYTHING,
  ]);

/** What a token carries and the log is asked for: the causes of `hangsOn`, whether or not they can still be named. */
export const credentialCauses = (credential: CredentialNames, task: TaskNames): Cause[] => [
  ...new Set([cause('credential', credential.id), ...taskCauses(task), ...causesOf(atTarget(credential, task))]),
];

/** Everything a task hangs on. A child's causes contain its parent's. */
export const taskCauses = (task: TaskNames): Cause[] => [
  ...new Set([...causesOf(ofTask(task)), ...(task.inherits ?? []), ALL]),
];

/** What a party by itself hangs on: the log is asked for it whenever the party calls. */
export const partyCauses = (party: NamedParty): Cause[] => causesOf(ofParty(party));

/** Causes of a credential that these selectors do not name: of an ancestor whose record is gone. */
export function unnamedCauses(credential: CredentialNames, task: TaskNames, named: readonly Selector[]): Cause[] {
  const known = new Set(causesOf(named));
  return credentialCauses(credential, task).filter((one) => !known.has(one));
}

/**
 * The changed task, hanging on everything that it has hung on so far. Otherwise a task that died with its team would live
 * again as soon as another team answers for its workload, and one that died with an address as soon as a token says another.
 */
export function changeParties(
  task: Task,
  parties: Partial<Pick<Task, 'workload' | 'principal' | 'principalProven'>>,
): Task {
  const next = { ...task, ...parties };
  const still = new Set(causesOf(ofTask(next)));
  const left = ofTask(task).filter((selector) => !still.has(causeOf(selector)));
  return left.length === 0 ? next : { ...next, formerly: [...(task.formerly ?? []), ...left] };
}

/**
 * Those whose risk counts for what is asked under a task, from the narrowest to the widest: the credentials given, the task
 * and those above it, its workload, and whom it serves. Not its issuers and teams: nobody reports a risk of these.
 */
export const risksFor = (task: TaskNames, credentials: readonly string[]): Selector[] =>
  distinct([
    ...credentials.map((value): Selector => ({ kind: 'credential', value })),
    ...lineOf(task),
    ...namesOf(task.workload),
    ...served(task),
  ]);

/** A target's credentials of one workload, as the value of a `target` selector: cutting them off ends no task. */
export const sessionsOf = (target: string, workload: string): string => `${target}#${workload}`;

/** The causes whose cutoffs and holds divide a workload's sessions at a target into those before and those after. */
export const sessionCuts = (target: string, workload: string): Cause[] =>
  causesOf([
    { kind: 'workload', value: workload },
    { kind: 'target', value: sessionsOf(target, workload) },
  ]);

/** By its own record: its line, everybody who is part of it, and who was. */
const ofTask = (task: TaskNames): Selector[] => [
  ...lineOf(task),
  ...[task.workload, task.openedBy, task.principal].flatMap((party) => (party ? ofParty(party) : [])),
  ...served(task),
  ...(task.formerly ?? []),
];

/** An ancestor may have changed since the child was born: of what it hangs on now, a child has what it was born with. */
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

/** A workload that serves nobody else is its own principal. */
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
