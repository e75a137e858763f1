/** What the front door asks of an issuer it trusts, whatever kind it is. */
import type { Party } from '../domain/party.js';
import type { KeySet } from './key-set.js';
import type { TokenTimes } from './token-times.js';
import type { TrustKeys } from './trust-keys.js';
import type { Unverified } from './unverified.js';

export interface TrustedIssuer {
  /** A token must be made for exactly one of these, and nobody else. */
  audiences: readonly string[];
  keys: TrustKeys;
  /** Everything but routing, audience and time, which are the same for all. Throws Refused. */
  verify(token: Unverified): Promise<Verified>;
}

interface Verified {
  party: Party;
  kind: 'oidc' | 'oidc-access-token' | 'spiffe';
  keys: KeySet;
}

/** Proof, as remembered until it expires or the keys change. */
export interface Proof extends Verified {
  issuer: TrustedIssuer;
  times: TokenTimes;
}
