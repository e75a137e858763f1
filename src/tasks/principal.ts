/** The principal of a task: the person that it serves, and whether that person's own token was ever presented. Policy sees both. */
import type { Settings } from '../authorization/deps.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { rememberedPerson, type Party } from '../domain/party.js';
import type { Task } from '../domain/task.js';
import { partyFromId } from '../identity/party-from-id.js';

type Principal = Pick<Task, 'principal' | 'principalProven'>;

/** Returns the principal of a task that is opened ahead: the parent's, or the one that the caller names. Empty: the task serves its workload. */
export function principalOf(
  trust: Settings['trust'],
  caller: Party,
  named: string | undefined,
  parent: Task | undefined,
): Principal {
  if (named !== undefined && parent?.principal && named !== parent.principal.id) {
    throw new BrokerError('invalid_request', 'A child serves the person its parent task serves.');
  }
  if (caller.kind === 'person' && named === caller.id) return provenPrincipal(caller);
  // The child inherits it as it is: a person who was only named does not become proven by opening a child.
  if (parent?.principal) return { principal: parent.principal, principalProven: parent.principalProven };
  return named === undefined ? {} : { principal: partyFromId(trust, 'person', named) };
}

/**
 * Returns a principal whose own token was presented with this request.
 * @param task The task that this person is the principal of already. It keeps the session by which they were first proven.
 */
export const provenPrincipal = (person: Party, task?: Principal): Principal => ({
  principal: defined({
    ...rememberedPerson(person),
    session: task?.principalProven ? task.principal?.session : person.session,
  }),
  principalProven: true,
});
