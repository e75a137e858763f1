/** The port through which use cases report events to the detectors. Its methods do not wait, touch no store and never throw. */
import type { BrokerError } from '../domain/errors.js';
import type { Party } from '../domain/party.js';
import type { Task } from '../domain/task.js';

export interface Observer {
  /** Reports that a credential was handed out. `opened`: its task was opened for it. */
  granted(grant: { task: Task; opened: boolean }): void;
  /** Reports that an authenticated caller was refused. `task` is the id that it named, whether such a task exists or not. */
  refused(caller: Party, error: BrokerError, task?: string): void;
  /** Reports that a party that is held or cut off has tried something. */
  lockedOut(party: Party): void;
  /** Reports that a credential was presented that was ended or revoked, and has not expired. */
  deadUse(credential: string): void;
  /** Reports that a credential was presented. `from` is where, as the target reports it. */
  presented(credential: string, from: string): void;
  /** Reports that a token was presented that does not verify here. */
  unverified(token: string): void;
}
