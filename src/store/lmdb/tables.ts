/** The tables of the LMDB store, and how they are read and durably written. All values are plain text. */
import { open, type Database, type RootDatabase } from 'lmdb';
import { within } from '../../domain/within.js';
import { StoreUnavailable } from '../store.js';

export interface Tables {
  environment: RootDatabase<string, string>;
  /** Key → stamped text (encoding.ts). */
  records: Database<string, string>;
  /** Index, score, member (see records.ts) → nothing; sorted as `range` answers. */
  ranks: Database<string, Buffer>;
  /** Index, member → score. */
  scores: Database<string, Buffer>;
  /** `generation`, `home`, `seq`. */
  head: Database<string, string>;
  tombstones: Database<string, string>;
  /** Sequence number → the entry, JSON. */
  entries: Database<string, number>;
  /** Publication id → the entry it became, stamped JSON. */
  published: Database<string, string>;
}

const WRITE_LIMIT_MS = 2_000;

export function openTables(directory: string): Tables {
  const environment = open<string, string>({
    path: directory,
    encoding: 'string',
    // Otherwise lmdb takes a path with a dot, e.g. `data.d`, for a file.
    noSubdir: false,
    maxDbs: 8,
    // Otherwise a commit that fails rejects a promise of lmdb's own, which nobody can wait for, and that ends the process.
    eventTurnBatching: false,
  });
  const text = { encoding: 'string' } as const;
  return {
    environment,
    records: environment.openDB<string, string>('records', text),
    ranks: environment.openDB<string, Buffer>('ranks', { ...text, keyEncoding: 'binary' }),
    scores: environment.openDB<string, Buffer>('scores', { ...text, keyEncoding: 'binary' }),
    head: environment.openDB<string, string>('head', text),
    tombstones: environment.openDB<string, string>('tombstones', text),
    entries: environment.openDB<string, number>('entries', text),
    published: environment.openDB<string, string>('published', text),
  };
}

/**
 * Runs `change` as one transaction and resolves when it is on disk. It is a child transaction, because a plain one keeps
 * the writes that were made before a throw.
 */
export async function durably<T>({ environment }: Tables, change: () => T): Promise<T> {
  const written = async (): Promise<T> => {
    const result = await environment.childTransaction(change).catch(async (error: unknown) => {
      throw await causeOf(error);
    });
    await environment.flushed;
    return result;
  };
  try {
    return await inTime(written());
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error;
    throw new StoreUnavailable('the data directory could not be written', { cause: error });
  }
}

/** Resolves like `work`. Rejects when the disk takes too long: after a failed write, lmdb may never say that it is done. */
export const inTime = <T>(work: PromiseLike<T>): Promise<T> =>
  within(WRITE_LIMIT_MS, work, () => new StoreUnavailable('the disk did not answer in time'));

/**
 * Returns why a write failed. lmdb hands over the error of a commit as a second promise, `commitError`, which rejects. If
 * nobody waited for that one, its rejection would end the process: a full disk must not.
 */
async function causeOf(error: unknown): Promise<unknown> {
  try {
    await (error as { commitError?: Promise<void> }).commitError;
    return error;
  } catch (cause) {
    return cause;
  }
}

/** Reads what is committed now, by this process or another one. A read transaction that is already open may show an older state. */
export function now<T>({ environment }: Tables, read: () => T): Promise<T> {
  return new Promise((resolve) => {
    environment.resetReadTxn();
    resolve(read());
  });
}
