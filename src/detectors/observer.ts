/**
 * The port through which use cases report events to the detectors. Its methods do not wait, touch no store and never throw. Each
 * takes first whom or what the event is counted for: who reports it must know who can cause it.
 */
import type { CredentialCharge, DenialCharge, PartyCharge, ProofCharge } from '../domain/charge.js';
import type { BrokerError } from '../domain/errors.js';
import type { RequestTrace } from '../domain/request-trace.js';
import type { Task } from '../domain/task.js';

export interface Observer {
  /** Reports that a credential was handed out. `opened`: its task was opened for it. `again`: it is no new one. */
  granted(to: PartyCharge | CredentialCharge, grant: { task: Task; opened: boolean; again?: true }): void;
  /** Reports a refusal. It is counted for each of the charges; for nobody where somebody else may have provoked it. */
  refused(charges: readonly DenialCharge[], error: BrokerError): void;
  /** Reports that a proof was presented of a party that is held or cut off. */
  lockedOut(proof: ProofCharge): void;
  /** Reports that a credential was presented that was ended or revoked, and has not expired. */
  deadUse(credential: CredentialCharge): void;
  /** Reports that a credential was presented. `from` is where, as the target reports it. */
  presented(credential: CredentialCharge, from: string): void;
  /** Reports that a token was presented that does not verify here. Whoever presented it, it may be a canary. */
  unverified(token: string, presentation: Presentation): void;
}

/** How a token was presented: for whoever looks for the one that shows canaries. */
export interface Presentation {
  /** As proof of who calls, or as what the caller asks about, gives back or has found. */
  as: 'proof' | 'introspected' | 'returned' | 'found';
  /** Who presented it; absent where the token itself was to prove that. */
  by?: string;
  /** Where it was presented to the API that asks, as that API says. */
  presentedFrom?: string;
  trace?: RequestTrace;
}
