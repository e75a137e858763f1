/** Whether a refusal ends by itself: risk falls, and at a lower risk policy may permit the same. */
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { fallenTo, levelsBelow } from '../domain/risk.js';
import type { Level } from '../domain/signal.js';
import { secondsToWait } from '../domain/time.js';
import type { JointRisk } from '../ledger/risk.js';
import type { PolicyEngine, TimeLimit, Verdict } from '../policy/policy-engine.js';
import type { PolicyQuery } from '../policy/query.js';

export interface Easing {
  /** The level at which policy permits it. */
  to: Level;
  /** When the risk has fallen to that, unless it is raised again. Milliseconds. */
  at: number;
  waitSeconds: number;
}

interface Refused {
  query: PolicyQuery;
  verdict: Verdict;
  risk: JointRisk;
  now: number;
  /** Returns whether the request has paid for these evaluations too. */
  covers: (more: readonly PolicyQuery[]) => boolean;
  /** Of the decision that refused. */
  timeLimit?: TimeLimit | undefined;
}

/**
 * Asks policy about the same at lower levels, if the request has paid for that. Undefined: it would be refused at each of them,
 * nobody knows, or the answer would tell of a policy that is secret.
 */
export async function easingOf(
  policy: Pick<PolicyEngine, 'decide'>,
  { query, verdict, risk, now, covers, timeLimit }: Refused,
): Promise<Easing | undefined> {
  const { context } = query;
  if (verdict.outcome !== 'deny' || verdict.secret || context.kind !== 'access') return undefined;
  const easier = levelsBelow(risk.level).map((level) => ({ ...query, context: { ...context, risk: level } }));
  if (!covers(easier)) return undefined;
  for (const one of easier) {
    const supposed = await policy.decide(one, defined({ supposed: true as const, timeLimit })).catch(ifSilent);
    const to = one.context.risk;
    if (!supposed || supposed.secret) return undefined;
    if (supposed.outcome !== 'permit') continue;
    const at = Math.max(...risk.risks.map((each) => fallenTo(to, each)));
    return { to, at, waitSeconds: secondsToWait(at - now) };
  }
  return undefined;
}

/** The refusal stands already, and is told without it. */
function ifSilent(error: unknown): undefined {
  if (!(error instanceof BrokerError) || error.code !== 'temporarily_unavailable') throw error;
}
