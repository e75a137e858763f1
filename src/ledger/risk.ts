/** Risk as the ledger keeps it: one record a cause, gone by itself when nothing is left of it. */
import { goneAt, highest, levelNow, riskSchema, worse, type Risk } from '../domain/risk.js';
import type { Cause } from '../domain/selector.js';
import type { Level } from '../domain/signal.js';
import { record } from '../store/record.js';
import { upsertRecord } from './change-record.js';
import type { Ledger } from './ledger.js';
import { riskKey } from './keys.js';

const risks = record(riskSchema, riskKey, { expiresAt: goneAt });

/** Returns the risk as it stands afterwards: a worse one is not lowered. */
export const setRisk = (ledger: Ledger, cause: Cause, risk: Risk): Promise<Risk> =>
  upsertRecord(ledger, risks, cause, (there) => worse(there, risk, ledger.clock.now()));

/** In the order asked; undefined where nothing is left of it. */
export const readRisks = async (ledger: Ledger, causes: readonly Cause[]): Promise<(Risk | undefined)[]> =>
  (await risks.readEach(ledger, causes)).map((stored) => stored?.value);

/** The highest of them now. */
export async function riskOf(ledger: Ledger, causes: readonly Cause[]): Promise<Level> {
  const there = await readRisks(ledger, causes);
  const now = ledger.clock.now();
  return highest(there.flatMap((risk) => (risk ? [levelNow(risk, now)] : [])));
}
