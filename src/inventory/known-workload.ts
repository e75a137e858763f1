/** What is known of a workload that somebody names: its issuer by the configuration, its team by its latest call or its open tasks. */
import type { Deps } from '../authorization/deps.js';
import type { PartyRef } from '../domain/party.js';
import { partyFromId } from '../identity/party-from-id.js';
import type { Ledger } from '../ledger/ledger.js';
import { tasksUnder } from '../ledger/tasks-under.js';
import { readSeenWorkload, type SeenWorkload } from '../ledger/workloads.js';

interface KnownWorkload extends Partial<SeenWorkload> {
  party: PartyRef;
}

/** Throws `invalid_request` for an id that no configured issuer could prove. */
export async function knownWorkload(
  { ledger, settings }: Pick<Deps, 'settings'> & { ledger: Ledger },
  id: string,
): Promise<KnownWorkload> {
  const configured = partyFromId(settings.trust, 'workload', id);
  const seen = await readSeenWorkload(ledger, id);
  if (seen?.party.owner !== undefined) return seen;
  return { ...seen, party: await byItsTasks(ledger, configured) };
}

/** Whoever opens a task for a workload may know its team before it ever calls. */
async function byItsTasks(ledger: Ledger, configured: PartyRef): Promise<PartyRef> {
  let party = configured;
  for await (const page of tasksUnder(ledger, { kind: 'workload', value: configured.id })) {
    party = page.find(({ workload }) => workload.id === configured.id)?.workload ?? party;
    if (party.owner !== undefined) break;
  }
  return party;
}
