/**
 * Room for revocations on a full disk. LMDB writes every change to pages that are free or new, and a new page makes the data
 * file longer. So the file is kept longer than it is used: the bytes behind its last page lie on the disk already, no other
 * program can take them, and only the revocation log may use them. Records are refused before they would. Revocations are
 * refused before the last quarter is used: a commit that the disk itself refuses damages the memory of the process (lmdb
 * writes its message about it behind the end of a buffer), so it must not come to that.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, statfsSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { StoreUnavailable } from '../store.js';
import type { Tables } from './tables.js';

/** Room for about twelve thousand revocations with short names, and fifteen hundred with the longest. */
export const KEPT_BYTES = 16 * 1024 * 1024;

export interface Room {
  /** Throws when a record would take room that is kept for revocations. To be called in a write transaction. */
  assertForRecords(): void;
  /** Throws when a revocation would take the last of the room. To be called in a write transaction. */
  assertForRevocations(): void;
  /** Returns how much of what records may grow to is used, 0 to 1. */
  usedFraction(): number;
}

/** Opens the room, and makes the file as long as it has to be. A disk without space for that stops nothing but records. */
export function openRoom({ environment }: Tables, directory: string, keptBytes: number): Room {
  // One step is enough for hundreds of records, and is written within milliseconds.
  const stepBytes = Math.ceil(keptBytes / 16);
  const file = join(directory, 'data.mdb');
  let fileBytes = statSync(file).size;

  const usedBytes = (): number => {
    const { lastPageNumber, pageSize } = statsOf(environment);
    return (lastPageNumber + 1) * pageSize;
  };
  /** Makes the file longer where it is too short, and returns whether it is long enough then. Only in a write transaction: nothing else writes to the file meanwhile. */
  const ensureLeft = (bytes: number): boolean => {
    const needed = usedBytes() + bytes;
    if (fileBytes < needed) fileBytes = lengthened(file, needed + stepBytes);
    return fileBytes >= needed;
  };
  environment.transactionSync(() => ensureLeft(keptBytes));

  return {
    assertForRecords() {
      if (!ensureLeft(keptBytes))
        throw new StoreUnavailable('the disk is full: what is left of the data file is kept for revocations');
    },
    assertForRevocations() {
      if (!ensureLeft(keptBytes / 4))
        throw new StoreUnavailable('the disk is full, and the room that was kept for revocations is used up');
    },
    usedFraction() {
      // Another process may have made the file longer: what it took of the disk would then be missing on both sides.
      fileBytes = statSync(file).size;
      const { bavail, bsize } = statfsSync(directory);
      return Math.min(usedBytes() / Math.max(fileBytes - keptBytes + bavail * bsize, 1), 1);
    },
  };
}

function statsOf(environment: Tables['environment']): { lastPageNumber: number; pageSize: number } {
  const { lastPageNumber, root } = environment.getStats() as { lastPageNumber: number; root: { pageSize: number } };
  return { lastPageNumber, pageSize: root.pageSize };
}

/**
 * Appends zeros to a file until it is `length` bytes long, and returns how long it is then. Zeros that are written take their
 * room on the disk now; a file that is merely made longer has holes, which take it later or never. Where the disk is full, the
 * file is left as it was.
 */
function lengthened(file: string, length: number): number {
  const { bavail, bsize } = statfsSync(file);
  const descriptor = openSync(file, 'r+');
  const { size } = fstatSync(descriptor);
  try {
    if (length - size > bavail * bsize) return size;
    for (let at = size; at < length;) at += writeSync(descriptor, ZEROS, 0, Math.min(ZEROS.length, length - at), at);
    return Math.max(size, length);
  } catch {
    ftruncateSync(descriptor, size);
    return size;
  } finally {
    closeSync(descriptor);
  }
}

const ZEROS = Buffer.alloc(1024 * 1024);
