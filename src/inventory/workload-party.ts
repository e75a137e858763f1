/** What is known of a workload that somebody names: its issuer by the configuration, its team also by its open tasks. */
import type { Deps } from '../authorization/deps.js';
import type { PartyRef } from '../domain/party.js';
import { partyFromId } from '../identity/party-from-id.js';
import type { Ledger } from '../ledger/ledger.js';
import { tasksUnder } from '../ledger/tasks-under.js';

/** Throws `invalid_request` for an id that no configured issuer could prove. */
export async function workloadParty(
  { ledger, settings }: Pick<Deps, 'settings'> & { ledger: Ledger },
  id: string,
): Promise<PartyRef> {
  let party = partyFromId(settings.trust, 'workload', id);
  for await (const page of tasksUnder(ledger, { kind: 'workload', value: id })) {
    party = page.find(({ workload }) => workload.id === id)?.workload ?? party;
    if (party.owner !== undefined) break;
  }
  return party;
}
