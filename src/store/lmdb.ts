/** The embedded store on LMDB: one directory, no server. One broker owns the directory; the command line may open it too. */
import { mkdirSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { SystemClock } from '../domain/time.js';
import { lmdbLog } from './lmdb/log.js';
import { keepPrivate } from './lmdb/keep-private.js';
import { own } from './lmdb/owner.js';
import { lmdbRecords } from './lmdb/records.js';
import { openTables } from './lmdb/tables.js';
import type { Store } from './store.js';

interface LmdbOptions {
  directory: string;
  clock: SystemClock;
  /** A broker is refused while another one owns the directory; a tool opens it whoever owns it. */
  role: 'broker' | 'tool';
}

// eslint-disable-next-line @typescript-eslint/require-await -- LMDB opens synchronously, and a failure must be a rejection
export async function openLmdb({ directory, clock, role }: LmdbOptions): Promise<Store> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const tables = openTables(directory);
  keepPrivate(directory);
  const disown = role === 'broker' ? own(tables, directory) : () => undefined;
  return {
    records: lmdbRecords(tables, clock),
    log: lmdbLog(tables, clock, homeOf(directory)),
    health: async () => {
      return { clock: clock.reading(), usedFraction: await usedFraction(directory), problems: [] };
    },
    close: async () => {
      await tables.environment.flushed;
      disown();
      await tables.environment.close();
    },
  };
}

/** Returns the size of the store as a part of what it can grow to, which is itself and the free space of its disk. */
async function usedFraction(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  const { size } = statSync(join(directory, 'data.mdb'));
  return size / (size + bavail * bsize);
}

/**
 * Returns the home of the log. It differs in every copy of the file: a restored backup must not revive what was revoked
 * since.
 */
function homeOf(directory: string): string {
  const { ino, birthtimeNs } = statSync(join(directory, 'data.mdb'), { bigint: true });
  return `${ino}-${birthtimeNs}`;
}
