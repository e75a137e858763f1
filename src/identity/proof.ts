/** What identification answers: who asks, and on what proof. */
import type { Party } from '../domain/party.js';

export interface AuthenticatedCaller {
  party: Party;
  /** SHA-256 (base64url) of the token, for the audit log. The token itself goes no further than identity/. */
  proofHash: string;
  /** Milliseconds; absent when the issuer did not say. A cutoff refuses proofs issued before it, and those that do not say. */
  issuedAt?: number;
  expiresAt: number;
}

export type TokenUse = 'subject' | 'actor' | 'client' | 'bearer';
