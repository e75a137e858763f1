/** The ledger: what every function of this folder works on. */
import type { Clock } from '../domain/time.js';
import type { Records } from '../store/store.js';
import type { RevocationLog } from './revocation-log.js';

export interface Ledger {
  records: Records;
  log: RevocationLog;
  clock: Clock;
}

export type { Versioned } from '../store/record.js';
