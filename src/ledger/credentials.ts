/** Credential records. A credential is reserved before anything is minted, in one commit with the task it hangs on. */
import { credentialSchema, credentialText, type Credential } from '../domain/credential.js';
import { defined } from '../domain/defined.js';
import { credentialCauses } from '../domain/hangs-on.js';
import { isId, shardOf } from '../domain/id.js';
import { HISTORY_MS } from '../domain/limits.js';
import type { Task } from '../domain/task.js';
import { LOST_AFTER_MS } from '../domain/timing.js';
import { growthOf, mergeChanges, record } from '../store/record.js';
import type { Change } from '../store/store.js';
import { recordKey, enforcementIndex, unconfirmedIndex } from './keys.js';
import type { Versioned, Ledger } from './ledger.js';
import type { Seen } from './revocation-log.js';
import { birth, readTask, step, updateTask } from './tasks.js';

interface Reservation {
  credential: Credential;
  /** The task it is reserved under. */
  task: Task;
  /** The task as it was read; absent for a task that is born in the same commit. */
  stored?: Versioned<Task>;
  /** Whether its target must be told of its end: then no failover may lose it. */
  durable: boolean;
  /** What is written together with it, e.g. the idempotency record of a task that is born. */
  beside?: readonly Change[];
}

const credentials = record(credentialSchema, recordKey, {
  format: credentialText,
  expiresAt: ({ expiresAt }) => expiresAt + HISTORY_MS,
  indexes: indexChanges,
});

/** What is to be written, and the credential as it stands after that. */
interface DraftedReservation {
  change: Change;
  after: Versioned<Credential>;
  /** By so many bytes the records grow. */
  bytes: number;
}

export function draftReservation({ credential, task, stored, beside = [], durable }: Reservation): DraftedReservation {
  const { id, expiresAt } = credential;
  const next: Task = { ...task, credentials: [...task.credentials, { id, expiresAt }] };
  const { change, after } = credentials.step(id, undefined, credential);
  const whole = mergeChanges(stored ? step(stored, next) : birth(next), change, ...beside, { durable });
  return { change: whole, after, bytes: growthOf(whole) };
}

/**
 * Reserves a credential (G1): after this commit the ledger knows it, whatever happens to the process, so a revocation reaches
 * it even if its answer is lost. Returns undefined when somebody else wrote the task first.
 */
export const reserve = async (
  { records }: Ledger,
  { change, after }: DraftedReservation,
): Promise<Versioned<Credential> | undefined> => ((await records.commit(change)) ? after : undefined);

/** Marks a reserved credential as minted. Returns undefined when its record was changed or lost meanwhile: it must not be handed out. */
export const activate = (ledger: Ledger, reserved: Versioned<Credential>, handle?: string) =>
  credentials.write(ledger, reserved.value.id, reserved, defined({ ...reserved.value, state: 'active', handle }));

/** Marks a reserved credential as one that was surely never minted. Nothing has to be denied at its target. */
export const abandon = (ledger: Ledger, reserved: Versioned<Credential>) =>
  credentials.write(ledger, reserved.value.id, reserved, { ...reserved.value, state: 'failed' });

/** A reserved credential is indexed before its minter is called, so it is found whatever becomes of the answer. */
function indexChanges(
  { id, state, issuedAt, expiresAt }: Credential,
  before: Credential | undefined,
): Pick<Change, 'index' | 'unindex'> {
  const [enforcement, unconfirmed] = [enforcementIndex(shardOf(id)), unconfirmedIndex(shardOf(id))];
  switch (state) {
    case 'reserved':
      return {
        index: [
          [enforcement, id, expiresAt],
          [unconfirmed, id, issuedAt + LOST_AFTER_MS],
        ],
      };
    case 'active':
      return before ? { unindex: [[unconfirmed, id]] } : {};
    case 'failed':
      return {
        unindex: [
          [unconfirmed, id],
          [enforcement, id],
        ],
      };
  }
}

/** Returns the credentials in the order asked, without the unknown ones. */
export async function readCredentials(ledger: Ledger, ids: readonly string[]): Promise<Credential[]> {
  const found = await credentials.readEach(
    ledger,
    ids.filter((id) => isId('crd', id)),
  );
  return found.flatMap((stored) => stored?.value ?? []);
}

/** A credential with the task it hangs on. */
export interface Found {
  credential: Credential;
  task: Task;
}

/** Returns undefined when the credential or its task is unknown. */
export async function findCredential(ledger: Ledger, id: string): Promise<Found | undefined> {
  const [credential] = await readCredentials(ledger, [id]);
  const stored = credential && (await readTask(ledger, credential.task));
  return credential && stored ? { credential, task: stored.value } : undefined;
}

/** Returns those of the credentials that are alive now, by the clock and by the log. */
export async function alive(ledger: Ledger, found: readonly Found[]): Promise<Found[]> {
  const now = ledger.clock.now();
  const unexpired = found.filter(({ credential }) => credential.expiresAt > now);
  if (unexpired.length === 0) return [];
  const seen = await ledger.log.look(unexpired.flatMap(({ credential, task }) => credentialCauses(credential, task)));
  return unexpired.filter((one) => !isDead(one, seen));
}

/** Returns whether something that the credential hangs on has ended it. Its expiry is another question. */
export const isDead = ({ credential, task }: Found, seen: Seen): boolean =>
  seen.deathOf('credential', credential.epoch, credentialCauses(credential, task)) !== undefined;

/** Removes a dead credential from its task's list, so that it no longer counts against the task's limit. */
export const dropCredential = (ledger: Ledger, { id, task }: Pick<Credential, 'id' | 'task'>): Promise<Task | null> =>
  updateTask(ledger, task, (current) => {
    const credentials = current.credentials.filter((one) => one.id !== id);
    return credentials.length === current.credentials.length ? undefined : { ...current, credentials };
  });
