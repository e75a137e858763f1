/** Credential records. A credential is reserved before anything is minted, in one commit with the task it hangs on. */
import { defined } from '../domain/defined.js';
import { credentialCauses } from '../domain/hangs-on.js';
import { HISTORY_MS } from '../domain/limits.js';
import { LOST_AFTER_MS } from '../domain/timing.js';
import { isId, shardOf } from '../domain/id.js';
import { credentialSchema, credentialText, type Credential } from '../domain/credential.js';
import type { Task } from '../domain/task.js';
import { mergeChanges } from '../store/record.js';
import type { Change, Key } from '../store/store.js';
import type { Versioned, Ledger } from './ledger.js';
import { recordKey, enforcementIndex, unconfirmedIndex } from './keys.js';
import { birth, readTask, step, updateTask } from './tasks.js';

interface Reservation {
  credential: Credential;
  /** The task it is reserved under. */
  task: Task;
  /** The task as it was read; absent for a task that is born in the same commit. */
  stored?: Versioned<Task>;
  /** What is written together with a task that is born, e.g. its idempotency record. */
  beside?: Pick<Change, 'expect' | 'put'>;
}

/**
 * Reserves a credential (G1): after this commit the ledger knows it, whatever happens to the process, so a revocation reaches
 * it even if its answer is lost. False: somebody else wrote the task first.
 */
export function reserve({ records }: Ledger, { credential, task, stored, beside }: Reservation): Promise<boolean> {
  const next: Task = {
    ...task,
    credentials: [...task.credentials, { id: credential.id, expiresAt: credential.expiresAt }],
  };
  const change = stored ? step(stored, next) : birth(next);
  const key = recordKey(credential.id);
  const reservation: Change = {
    expect: [[key, undefined]],
    put: [[key, credentialText(credential), credential.expiresAt + HISTORY_MS]],
    index: credential.state === 'reserved' ? reservedIn(credential) : [],
  };
  return records.commit(mergeChanges(change, reservation, beside ?? {}));
}

/** Marks a reserved credential as minted. False: its reservation was expired meanwhile, so it must not be handed out. */
export const activate = ({ records }: Ledger, credential: Credential, handle?: string) =>
  rewrite(records, credential, defined({ state: 'active', handle }), [unconfirmedIndex(shardOf(credential.id))]);

/** Marks a reserved credential as one that was surely never minted. Nothing has to be denied at its target. */
export const abandon = ({ records }: Ledger, credential: Credential) =>
  rewrite(records, credential, { state: 'failed' }, [
    unconfirmedIndex(shardOf(credential.id)),
    enforcementIndex(shardOf(credential.id)),
  ]);

const rewrite = (records: Ledger['records'], credential: Credential, change: Partial<Credential>, leaves: Key[]) =>
  records.commit({
    expect: [[recordKey(credential.id), credentialText(credential)]],
    put: [[recordKey(credential.id), credentialText({ ...credential, ...change }), credential.expiresAt + HISTORY_MS]],
    unindex: leaves.map((index): [Key, string] => [index, credential.id]),
  });

/** A reserved credential is in these indexes before its minter is called, so it is found whatever becomes of the answer. */
const reservedIn = (credential: Credential): [Key, string, number][] => [
  [enforcementIndex(shardOf(credential.id)), credential.id, credential.expiresAt],
  [unconfirmedIndex(shardOf(credential.id)), credential.id, credential.issuedAt + LOST_AFTER_MS],
];

/** Returns the credentials in the order asked, without the unknown ones. */
export async function readCredentials({ records }: Ledger, ids: readonly string[]): Promise<Credential[]> {
  const texts = await records.read(ids.filter((id) => isId('crd', id)).map(recordKey));
  return texts.flatMap((text) => (text === undefined ? [] : [credentialSchema.parse(JSON.parse(text))]));
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
  const causes = [...new Set(unexpired.flatMap(({ credential, task }) => credentialCauses(credential, task)))];
  const seen = await ledger.log.look(causes);
  return unexpired.filter(
    ({ credential, task }) =>
      seen.deathOf('credential', credential.epoch, credentialCauses(credential, task)) === undefined,
  );
}

/** Removes a dead credential from its task's list, so that it no longer counts against the task's limit. */
export const dropCredential = (ledger: Ledger, { id, task }: Pick<Credential, 'id' | 'task'>): Promise<Task | null> =>
  updateTask(ledger, task, (current) => {
    const credentials = current.credentials.filter((one) => one.id !== id);
    return credentials.length === current.credentials.length ? undefined : { ...current, credentials };
  });
