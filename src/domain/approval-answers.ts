/**
 * What the answers to an approval come to. Every group that is wanted needs so many persons; a person counts once, for one group,
 * whatever groups they belong to; and one of them at least is of no team whose agent asks.
 */
import { ANSWERS_MOST, type Approval, type ApprovalAnswer, type NeededApproval } from './approval.js';
import { addressesOf, ANY_ADDRESS, type RememberedPerson } from './party.js';
import type { Task } from './task.js';

type Answered = Pick<Approval, 'needs' | 'answers'>;

/**
 * Returns what is still wanted: of each group, how many persons. Persons stand for groups in the way that leaves the fewest wanted:
 * whoever answered first, for two groups, must not be in the way of the next, who can only answer for one of them.
 */
export function missingOf({ needs, answers }: Answered): NeededApproval[] {
  const places = needs.flatMap((need) => Array.from({ length: need.approvers }, () => need));
  const takenBy = places.map((): number | undefined => undefined);
  const persons = answers.filter(({ says }) => says === 'approve');
  for (const index of persons.keys()) seat(index, { persons, places, takenBy }, new Set());
  const free = places.filter((_, place) => takenBy[place] === undefined);
  return needs.flatMap((need) => {
    const approvers = free.filter((one) => one === need).length;
    return approvers > 0 ? [{ ...need, approvers }] : [];
  });
}

interface Seating {
  persons: readonly ApprovalAnswer[];
  places: readonly NeededApproval[];
  /** Of each place, the index of the person who stands there. */
  takenBy: (number | undefined)[];
}

/** Gives the person a place, where others may have to change theirs for it. Returns whether there was one (an augmenting path). */
function seat(person: number, seating: Seating, tried: Set<number>): boolean {
  const { persons, places, takenBy } = seating;
  for (const [place, { group }] of places.entries()) {
    if (tried.has(place) || !persons[person]?.groups.includes(group)) continue;
    tried.add(place);
    const there = takenBy[place];
    if (there !== undefined && !seat(there, seating, tried)) continue;
    takenBy[place] = person;
    return true;
  }
  return false;
}

/** Returns whether only persons have said yes who belong to a team whose agent asks. */
const isByOwnerAlone = ({ answers }: Pick<Approval, 'answers'>): boolean =>
  answers.every(({ says, ofOwner }) => says !== 'approve' || ofOwner === true);

/** Returns whether nobody else has to agree. */
export const isComplete = (approval: Answered): boolean =>
  approval.answers.some(({ says }) => says === 'emergency') ||
  (missingOf(approval).length === 0 && !isByOwnerAlone(approval));

/** Returns whether the answer changes anything: a yes for a group that has all its persons is not kept. */
export function addsTo(approval: Answered, answer: ApprovalAnswer): boolean {
  if (answer.says !== 'approve') return approval.answers.length < ANSWERS_MOST;
  const after = { ...approval, answers: [...approval.answers, answer] };
  const adds = wantedBy(after) < wantedBy(approval) || (isByOwnerAlone(approval) && !isByOwnerAlone(after));
  return adds && after.answers.length < ANSWERS_MOST;
}

const wantedBy = (approval: Answered): number => missingOf(approval).reduce((sum, { approvers }) => sum + approvers, 0);

/**
 * Returns whether it is the person's own request: it serves them, or they have opened its task or one above it. Nobody agrees to
 * what they ask for.
 */
export function isOwnRequest(
  person: RememberedPerson,
  { principal, openedBy, workload, chain = [], above = [], openerAddresses = [] }: Approval,
  task: Pick<Task, 'principal'> | undefined,
): boolean {
  // A person who was only named has an address once their own token was shown under the task.
  const parties = [principal, task?.principal, openedBy, workload, ...chain].filter((party) => party !== undefined);
  return (
    parties.some((party) => isSamePerson(person, party)) ||
    above.includes(person.id) ||
    haveOneInCommon(addressesOf(person), openerAddresses)
  );
}

/**
 * Returns whether both are one person. Also where one address is in the tokens of both: an identity provider may call a person
 * otherwise for every client (pairwise subjects), and nobody may agree to their own request by another name.
 */
export const isSamePerson = (one: RememberedPerson, other: RememberedPerson): boolean =>
  one.id === other.id || haveOneInCommon(addressesOf(one), addressesOf(other));

const haveOneInCommon = (some: readonly string[], others: readonly string[]): boolean =>
  some.some((address) => others.some((other) => other === address || [address, other].includes(ANY_ADDRESS)));
