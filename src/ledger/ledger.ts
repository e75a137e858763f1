/** The ledger: what every function of this folder works on. */
import type { Clock } from '../domain/time.js';
import type { Records } from '../store/store.js';
import type { RevocationLog } from './revocation-log.js';

export interface Ledger {
  records: Records;
  log: RevocationLog;
  clock: Clock;
  /** For how long the audit log keeps its entries. Absent: as long as it does unless that is set. */
  auditRetentionMs?: number;
}

export type { Versioned } from '../store/record.js';
