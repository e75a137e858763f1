/** Risk as the ledger keeps it: one record a cause, gone by itself when nothing is left of it. */
import { goneAt, highest, levelNow, riskSchema, worse, type Risk } from '../domain/risk.js';
import type { Cause } from '../domain/selector.js';
import type { Level } from '../domain/signal.js';
import { retryOnConflict } from './retry-on-conflict.js';
import type { Ledger } from './ledger.js';
import { riskKey } from './keys.js';

/** Answers what then stands: a worse one is not lowered. */
export function setRisk(ledger: Ledger, cause: Cause, risk: Risk): Promise<Risk> {
  return retryOnConflict(ledger, async () => {
    const { records, clock } = ledger;
    const [text] = await records.read([riskKey(cause)]);
    const next = worse(parsed(text), risk, clock.now());
    const put = JSON.stringify(next);
    if (put === text) return next;
    const done = await records.commit({ expect: [[riskKey(cause), text]], put: [[riskKey(cause), put, goneAt(next)]] });
    return done ? next : undefined;
  });
}

/** In the order asked. */
export async function readRisks({ records }: Ledger, causes: readonly Cause[]): Promise<(Risk | undefined)[]> {
  return (await records.read(causes.map(riskKey))).map(parsed);
}

/** The highest of them now. */
export async function riskOf(ledger: Ledger, causes: readonly Cause[]): Promise<Level> {
  const risks = await readRisks(ledger, causes);
  const now = ledger.clock.now();
  return highest(risks.flatMap((risk) => (risk ? [levelNow(risk, now)] : [])));
}

const parsed = (text: string | undefined): Risk | undefined =>
  text === undefined ? undefined : riskSchema.parse(JSON.parse(text));
