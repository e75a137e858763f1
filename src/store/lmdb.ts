/** The embedded store on LMDB: one directory, no server. One broker owns the directory; the command line may open it too. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemClock } from '../domain/time.js';
import { lmdbLog } from './lmdb/log.js';
import { keepPrivate } from './lmdb/keep-private.js';
import { own } from './lmdb/owner.js';
import { lmdbRecords } from './lmdb/records.js';
import { KEPT_BYTES, openRoom } from './lmdb/room.js';
import { inTime, openTables } from './lmdb/tables.js';
import type { Store } from './store.js';

interface LmdbOptions {
  directory: string;
  clock: SystemClock;
  /** A broker is refused while another one owns the directory; a tool opens it whoever owns it. */
  role: 'broker' | 'tool';
  /** How much of the disk is taken ahead, for revocations when it is full. */
  keptBytes?: number;
}

// eslint-disable-next-line @typescript-eslint/require-await -- LMDB opens synchronously, and a failure must be a rejection
export async function openLmdb({ directory, clock, role, keptBytes = KEPT_BYTES }: LmdbOptions): Promise<Store> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const tables = openTables(directory);
  keepPrivate(directory);
  const disown = role === 'broker' ? own(tables, directory) : () => undefined;
  const room = openRoom(tables, directory, keptBytes);
  return {
    records: lmdbRecords(tables, clock, room),
    log: lmdbLog(tables, clock, { home: homeOf(directory), room }),
    health: async () => Promise.resolve({ clock: clock.reading(), usedFraction: room.usedFraction(), problems: [] }),
    close: async () => {
      // What was acknowledged is on disk. A disk that takes nothing more must not keep the process from ending.
      await inTime(tables.environment.flushed).catch(() => undefined);
      disown();
      await inTime(tables.environment.close()).catch(() => undefined);
    },
  };
}

/**
 * Returns the home of the log. It differs in every copy of the file: a restored backup must not revive what was revoked
 * since.
 */
function homeOf(directory: string): string {
  const { ino, birthtimeNs } = statSync(join(directory, 'data.mdb'), { bigint: true });
  return `${ino}-${birthtimeNs}`;
}
