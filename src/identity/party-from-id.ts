/** Whose word a named id would rest on. An id that no configured issuer could ever prove is a mistake, not a party. */
import { defined } from '../domain/defined.js';
import type { PartyRef } from '../domain/party.js';
import { BrokerError } from '../domain/errors.js';
import type { Trust } from '../config/schema.js';

export const workloadFromId = (trust: readonly Trust[], id: string): PartyRef => place(trust, id, 'workload');

export const personFromId = (trust: readonly Trust[], id: string): PartyRef => place(trust, id, 'person');

function place(trust: readonly Trust[], id: string, kind: PartyRef['kind']): PartyRef {
  const placed = trust.find(
    (one) => kind === (one.kind === 'spiffe' ? 'workload' : one.represents) && id.startsWith(prefixOf(one)),
  );
  if (!placed || id.length === prefixOf(placed).length || id.length > 2048) {
    throw new BrokerError(
      'invalid_request',
      `No configured issuer can prove that ${kind}: an id reads <trust name>:<subject> or spiffe://….`,
    );
  }
  const owner = placed.owner && 'value' in placed.owner ? placed.owner.value : undefined;
  return defined({ kind, id, issuer: placed.name, owner });
}

/** What every id begins with that this issuer can prove. */
export const prefixOf = (trust: Trust): string =>
  trust.kind === 'spiffe' ? `spiffe://${trust.trustDomain}/` : `${trust.name}:`;
