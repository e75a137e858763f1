/** Workloads as OAuth clients: what each is called, and which of them an identity provider may name without a proof of theirs. */
import type { JsonObject } from '../domain/json-object.js';
import type { Party } from '../domain/party.js';
import type { IdJag } from './id-jag.js';
import { partyFromId } from './party-from-id.js';
import type { ShownIdJag, TrustedIssuer, Verified } from './proof.js';
import type { IdentifySetup } from './route.js';

/** Returns a function that adds to what was verified how its workload is called as a client, or who the client of its ID-JAG is. */
export function createClients({ issuers, clientIds = {} }: Pick<IdentifySetup, 'issuers' | 'clientIds'>) {
  const trust = issuers.map((one) => one.trust);

  /** A client that signs for itself is its own issuer, and nobody else has that name. */
  const withClientIds = (party: Party, { iss, sub }: JsonObject): Party => {
    const configured = Object.keys(clientIds).filter((name) => clientIds[name] === party.id);
    const names = typeof iss === 'string' && iss === sub ? [...configured, iss] : configured;
    return names.length > 0 ? { ...party, clientIds: names } : party;
  };

  const withPublicClient = (idJag: IdJag, issuer: TrustedIssuer): ShownIdJag => {
    if (!issuer.idJag?.publicClients.includes(idJag.clientId)) return idJag;
    const workload = partyFromId(trust, 'workload', clientIds[idJag.clientId] ?? '');
    return { ...idJag, publicClient: { ...workload, claims: {}, groups: [] } };
  };

  return ({ party, idJag, ...verified }: Verified, issuer: TrustedIssuer, { claims }: { claims: JsonObject }) => ({
    ...verified,
    party: withClientIds(party, claims),
    ...(idJag && { idJag: withPublicClient(idJag, issuer) }),
  });
}
