/** Whom a task serves, and whether that person was ever proven: a name alone proves nothing, and policy is told so. */
import { rememberedPerson, type Party } from '../domain/party.js';
import { BrokerError } from '../domain/errors.js';
import type { Task } from '../domain/task.js';
import type { Settings } from '../authorization/deps.js';
import { partyFromId } from '../identity/party-from-id.js';

type Served = Pick<Task, 'principal' | 'principalProven'>;

/** Of a task that is opened ahead: its parent's, or whom the caller names. */
export function whomItServes(
  trust: Settings['trust'],
  caller: Party,
  named: string | undefined,
  parent: Task | undefined,
): Served {
  if (named !== undefined && parent?.principal && named !== parent.principal.id) {
    throw new BrokerError('invalid_request', 'A child serves the person its parent task serves.');
  }
  if (caller.kind === 'person' && named === caller.id) return provenPerson(caller);
  // Inherited as it is: what was merely named does not become proven by opening a child.
  if (parent?.principal) return { principal: parent.principal, principalProven: parent.principalProven };
  return named === undefined ? {} : { principal: partyFromId(trust, 'person', named) };
}

/** Whose own token is at hand. */
export const provenPerson = (person: Party): Served => ({
  principal: rememberedPerson(person),
  principalProven: true,
});
