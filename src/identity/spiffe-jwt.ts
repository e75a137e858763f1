/** Identity from a SPIFFE trust domain: JWT-SVIDs, verified by that trust domain's bundle and no other. */
import { defined } from '../domain/defined.js';
import type { SpiffeTrust } from '../config/schema.js';
import type { Party } from '../domain/party.js';
import { Refused } from './refused.js';
import { verifySignature } from './signature.js';
import { trustDomainOf } from './spiffe-id.js';
import { checkHeader } from './token-header.js';
import type { TrustKeys } from './trust-keys.js';
import type { TrustedIssuer } from './trusted-issuer.js';
import type { Unverified } from './unverified.js';

/** JWT-SVID §2: these headers, `typ` in this spelling, and nothing else. */
const HEADERS = ['alg', 'kid', 'typ'];
const TYPES = ['JWT', 'JOSE'];

export function createSpiffeIssuer(trust: SpiffeTrust, keys: TrustKeys, audiences: readonly string[]): TrustedIssuer {
  const acceptsType = (typ: string) => TYPES.includes(typ);

  const verify = async ({ text, header, claims }: Unverified) => {
    const id = claims['sub'];
    if (typeof id !== 'string' || trustDomainOf(id) !== trust.trustDomain) {
      throw new Refused('is not for a workload of its trust domain');
    }
    checkHeader(header, { algorithms: trust.algorithms, acceptsType, only: HEADERS });
    const used = await verifySignature(text, keys, trust.algorithms);
    return { party: workload(trust, id), kind: 'spiffe' as const, keys: used };
  };
  return { audiences, keys, verify };
}

const workload = (trust: SpiffeTrust, id: string): Party =>
  defined({
    kind: 'workload',
    id,
    issuer: trust.name,
    owner: trust.owner?.value,
    claims: {},
    groups: [],
  });
