/** The embedded store: one directory, no server. One broker owns the directory; the command line may work beside it. */
import { mkdirSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../domain/time.js';
import { lmdbLog } from './lmdb/log.js';
import { own } from './lmdb/owner.js';
import { lmdbRecords } from './lmdb/records.js';
import { openTables } from './lmdb/tables.js';
import type { Store } from './store.js';

interface LmdbOptions {
  directory: string;
  clock: Clock;
  /** A broker owns the directory alone; a tool opens it beside whoever does. */
  role: 'broker' | 'tool';
}

// eslint-disable-next-line @typescript-eslint/require-await -- opening is synchronous here and a rejection everywhere
export async function openLmdb({ directory, clock, role }: LmdbOptions): Promise<Store> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const tables = openTables(directory);
  const disown = role === 'broker' ? own(tables, directory) : () => undefined;
  return {
    records: lmdbRecords(tables, clock),
    log: lmdbLog(tables, clock, homeOf(directory)),
    health: async () => {
      return { clock: clock.now(), usedFraction: await usedFraction(directory), problems: [] };
    },
    close: async () => {
      await tables.environment.flushed;
      disown();
      await tables.environment.close();
    },
  };
}

/** Of the room this store has: what it takes, and what is left on its disk. What others fill of the disk is not its growth. */
async function usedFraction(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  const { size } = statSync(join(directory, 'data.mdb'));
  return size / (size + bavail * bsize);
}

/** Tells the data file from every copy of it: a restored backup must not revive what was revoked after it was made. */
function homeOf(directory: string): string {
  const { ino, birthtimeNs } = statSync(join(directory, 'data.mdb'), { bigint: true });
  return `${ino}-${birthtimeNs}`;
}
