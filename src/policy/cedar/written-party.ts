/** A party as a file of queries describes it, held against the configuration. */
import type { ConfigPath } from '../../config/problem.js';
import { defined } from '../../domain/defined.js';
import { didYouMean, nearNames } from '../../domain/near-names.js';
import type { Party, PartyRef } from '../../domain/party.js';
import { membersOf } from '../../identity/claim-values.js';
import { partyFromId } from '../../identity/party-from-id.js';
import { literalProblem, tagProblem } from './fit.js';
import type { Reading, Who, WrittenParty } from './written-schema.js';

/** Returns the party that is described, with what the configuration says of it. */
export function describedParty({ configured, note }: Reading, written: WrittenParty, at: ConfigPath): Party {
  const kind = 'workload' in written ? 'workload' : 'person';
  const id = 'workload' in written ? written.workload : written.person;
  const [owner, groups] = 'workload' in written ? [written.owner, []] : [undefined, written.groups ?? []];
  const { claims, unread } = membersOf(written.claims);
  const problem = literalProblem({ type: kind === 'workload' ? 'Workload' : 'Person', id }, configured);
  note([...at, kind], problem);
  if (owner !== undefined) note([...at, 'owner'], literalProblem({ type: 'Owner', id: owner }, configured));
  for (const [index, group] of groups.entries())
    note([...at, 'groups', index], literalProblem({ type: 'Group', id: group }, configured));
  for (const tag of Object.keys(written.claims ?? {}))
    note([...at, 'claims', tag], tagProblem({ holder: 'party', tag }, configured));
  const known: PartyRef = problem === undefined ? partyFromId(configured.trust, kind, id) : NOBODY;
  const named = defined({ ...known, owner: owner ?? known.owner });
  return { ...named, claims, unread: [...unread, ...(written.unread ?? [])], groups };
}

const NOBODY: Party = { kind: 'workload', id: '', issuer: '', claims: {}, groups: [] };

export function partyOf(reading: Reading, who: Who, at: ConfigPath): Party {
  if (typeof who !== 'string') return describedParty(reading, who, at);
  const found = reading.parties.get(who);
  if (!found) reading.note(at, `is none of "parties".${didYouMean(nearNames(who, reading.parties.keys()))}`);
  return found ?? NOBODY;
}

export const maybePartyOf = (reading: Reading, who: Who | undefined, at: ConfigPath): Party | undefined =>
  who === undefined ? undefined : partyOf(reading, who, at);
