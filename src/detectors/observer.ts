/**
 * What the detectors are told, as it happens. Whoever tells does not wait, asks for nothing and cannot fail by it: no store is
 * touched, nothing throws.
 */
import type { Party } from '../domain/party.js';
import type { BrokerError } from '../domain/errors.js';
import type { Task } from '../domain/task.js';

export interface Observer {
  /** A credential was handed out; `opened`: its task was born with it. */
  granted(grant: { task: Task; opened: boolean }): void;
  /** A proven caller heard no; `task` as it named it, whether there is one or not. */
  refused(caller: Party, error: BrokerError, task?: string): void;
  /** Somebody who is held or cut off has tried something. */
  lockedOut(party: Party): void;
  /** A credential was presented that was ended or revoked, and has not expired. */
  deadUse(credential: string): void;
  /** A credential was presented, from where its target says. */
  presented(credential: string, from: string): void;
  /** Somebody presented this, and it is nothing that verifies here. */
  unverified(token: string): void;
}
