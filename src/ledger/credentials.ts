/** Credential records: reserved before anything is minted, in one commit with the task they hang on. */
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

/** What to reserve, and under what: a task as read, or (without `kept`) one that is born in the same commit. */
interface Reservation {
  credential: Credential;
  task: Task;
  stored?: Versioned<Task>;
  /** Written along with a task that is born, e.g. its idempotency record. */
  beside?: Pick<Change, 'expect' | 'put'>;
}

/** G1: after this commit the ledger knows the credential, whatever happens to the process. False: somebody wrote first. */
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

/** The target has answered. False: it was given up meanwhile. */
export const activate = ({ records }: Ledger, credential: Credential, handle?: string) =>
  rewrite(records, credential, defined({ state: 'active', handle }), [unconfirmedIndex(shardOf(credential.id))]);

/** The target has surely made nothing: there is nothing to tell it. */
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

/** From before the minter is called until it can live no more, whatever becomes of the answer. */
const reservedIn = (credential: Credential): [Key, string, number][] => [
  [enforcementIndex(shardOf(credential.id)), credential.id, credential.expiresAt],
  [unconfirmedIndex(shardOf(credential.id)), credential.id, credential.issuedAt + LOST_AFTER_MS],
];

/** In the order asked, without those that are unknown. */
export async function readCredentials({ records }: Ledger, ids: readonly string[]): Promise<Credential[]> {
  const texts = await records.read(ids.filter((id) => isId('crd', id)).map(recordKey));
  return texts.flatMap((text) => (text === undefined ? [] : [credentialSchema.parse(JSON.parse(text))]));
}

export interface Found {
  credential: Credential;
  task: Task;
}

/** A credential with its task, or undefined when either is unknown. */
export async function findCredential(ledger: Ledger, id: string): Promise<Found | undefined> {
  const [credential] = await readCredentials(ledger, [id]);
  const stored = credential && (await readTask(ledger, credential.task));
  return credential && stored ? { credential, task: stored.value } : undefined;
}

/** Which of these are alive at this moment, by the clock and by the log. */
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

/** Bookkeeping: a dead credential no longer counts against its task's limit. */
export const dropCredential = (ledger: Ledger, { id, task }: Pick<Credential, 'id' | 'task'>): Promise<Task | null> =>
  updateTask(ledger, task, (current) => {
    const credentials = current.credentials.filter((one) => one.id !== id);
    return credentials.length === current.credentials.length ? undefined : { ...current, credentials };
  });
