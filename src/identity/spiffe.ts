/** Identity from a SPIFFE trust domain: JWT-SVIDs, verified by the bundle of that trust domain and no other. */
import type { SpiffeTrust } from '../config/trust-schema.js';
import { defined } from '../domain/defined.js';
import type { Party } from '../domain/party.js';
import { trustDomainOf } from '../domain/spiffe-id.js';
import type { TrustedIssuer } from './proof.js';
import { verifySignature } from './signature.js';
import { checkHeader, Refused, type Unverified } from './token.js';
import type { TrustKeys } from './trust-keys.js';

/** JWT-SVID §2 allows these header parameters, and `typ` in these spellings. */
const HEADERS = ['alg', 'kid', 'typ'];
const TYPES = ['JWT', 'JOSE'];

export function createSpiffeIssuer(trust: SpiffeTrust, keys: TrustKeys, audiences: readonly string[]): TrustedIssuer {
  const acceptsType = (typ: string) => TYPES.includes(typ);

  const verify = async (token: Unverified) => {
    const id = token.claims['sub'];
    if (typeof id !== 'string' || trustDomainOf(id) !== trust.trustDomain) {
      throw new Refused('is not for a workload of its trust domain');
    }
    const signed = checkHeader(token, { algorithms: trust.algorithms, acceptsType, only: HEADERS });
    const used = await verifySignature(signed, keys);
    return { party: workload(trust, id), kind: 'spiffe' as const, keys: used };
  };
  return { audiences, keys, proofAgeSeconds: trust.proofAgeMax, verify };
}

/** Returns whether a subject claims to be a SPIFFE ID, well-formed or not. An OIDC issuer must not vouch for one. */
export const looksLikeSpiffe = (subject: unknown): boolean =>
  typeof subject === 'string' && /^\s*spiffe:/i.test(subject);

const workload = (trust: SpiffeTrust, id: string): Party =>
  defined({ kind: 'workload', id, issuer: trust.name, owner: trust.owner?.value, claims: {}, groups: [] });
