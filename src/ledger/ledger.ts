/** What every ledger function works on. */
import type { Clock } from '../domain/time.js';
import type { Records } from '../store/store.js';
import type { RevocationLog } from './revocation-log.js';

export interface Ledger {
  records: Records;
  log: RevocationLog;
  clock: Clock;
}

/** A record as read: what it says, and the exact text to compare with when it is written again. */
export interface Versioned<T> {
  value: T;
  text: string;
}
