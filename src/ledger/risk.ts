/** Risk in the ledger: one record for each cause. It expires a day after the risk has decayed to nothing. */
import { AHEAD_AT_MOST_MS } from '../domain/limits.js';
import { goneAt, highest, levelNow, riskSchema, worse, type Risk } from '../domain/risk.js';
import type { Cause } from '../domain/selector.js';
import type { Level } from '../domain/signal.js';
import { record } from '../store/record.js';
import { riskKey } from './keys.js';
import type { Ledger } from './ledger.js';
import { upsertRecord } from './retry-on-conflict.js';

const risks = record(riskSchema, riskKey, { expiresAt: (risk) => goneAt(risk) + AHEAD_AT_MOST_MS });

/** Returns the risk that stands afterwards: a higher one is not lowered, nor taken for decayed by a clock that is ahead. */
export const setRisk = (ledger: Ledger, cause: Cause, risk: Risk): Promise<Risk> =>
  upsertRecord(ledger, risks, cause, (there) => worse(there, risk, ledger.clock.uncheckedEarliest()));

/** Returns the risks in the order asked; undefined where there is none, or none any more. */
export const readRisks = async (ledger: Ledger, causes: readonly Cause[]): Promise<(Risk | undefined)[]> =>
  (await risks.readEach(ledger, causes)).map((stored) => stored?.value);

/** What several causes together have: the highest level now, and the risks that it is made of. */
export interface JointRisk {
  level: Level;
  risks: readonly Risk[];
}

export async function riskOf(ledger: Ledger, causes: readonly Cause[]): Promise<JointRisk> {
  const risks = (await readRisks(ledger, causes)).filter((risk) => risk !== undefined);
  const now = ledger.clock.now();
  return { level: highest(risks.map((risk) => levelNow(risk, now))), risks };
}
