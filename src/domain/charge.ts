/**
 * Whom or what the detectors count an observation for. A party is charged only with what it chose to ask for itself, by an
 * identity token of its own that no hold or cutoff refuses. All else is counted for the thing that was used, because somebody else
 * may be behind it: a thief presents a token that was cut off, an orchestrator opens a task that permits nothing, an agent shows an
 * API a token that is not for it. No finding may be turned against the owner of the token, the agent or the API.
 */
import type { PartyRef } from './party.js';
import type { Selector } from './selector.js';

type Bearer = Pick<PartyRef, 'kind' | 'id' | 'issuer'>;

/** The party itself. */
export interface PartyCharge {
  kind: 'party';
  of: Bearer;
}

/** The task under which something was asked for. */
export interface TaskCharge {
  kind: 'task';
  id: string;
  /** Its workload. */
  of: Bearer;
}

/** A credential of this broker that somebody presented. */
export interface CredentialCharge {
  kind: 'credential';
  id: string;
  /** Its holder. */
  of: Bearer;
}

/** A proof of identity that a hold or cutoff refuses, and that somebody presented. */
export interface ProofCharge {
  kind: 'proof';
  /** The SHA-256 of the token. */
  id: string;
  /** Whom it names. */
  of: Bearer;
}

/** A canary that somebody presented. */
interface CanaryCharge {
  kind: 'canary';
  /** The SHA-256 of the token. */
  id: string;
}

/** All parties of an issuer, as far as they are not told apart. An observation never begins as one of these. */
export interface IssuerCharge {
  kind: 'issuer';
  /** The trust name. */
  id: string;
}

export type Charge = PartyCharge | TaskCharge | CredentialCharge | ProofCharge | CanaryCharge;

/** What may be charged with a denial. */
export type DenialCharge = PartyCharge | TaskCharge | CredentialCharge;

export const partySelector = ({ kind, id }: Bearer): Selector => ({
  kind: kind === 'workload' ? 'workload' : 'principal',
  value: id,
});
