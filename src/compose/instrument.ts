/** Wraps ports to count and time their calls. Their results do not change. */
import type { AuditLog } from '../audit/log.js';
import type { Observer } from '../detectors/observer.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import type { Identify } from '../identity/identify.js';
import type { PartyMemory } from '../ledger/seen.js';
import type { PolicyEngine } from '../policy/policy-engine.js';
import { wrapEngine } from '../policy/wrap-engine.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics, Took } from '../telemetry/metrics.js';
import type { MinterDeps } from './minters.js';

/** A caller that is not authenticated gets no audit entry. Its refusal is counted, and the line of the request has the reason. */
export function instrumentIdentify(
  identify: Identify,
  { metrics, observer }: { metrics: Metrics; observer: Pick<Observer, 'unverified'> },
): Identify {
  return async (token, as) => {
    try {
      return await identify(token, as);
    } catch (err) {
      metrics.identityRefused(reasonOf(err));
      observer.unverified(token, defined({ as: 'proof' as const, trace: as.trace }));
      throw err;
    }
  };
}

/** Counts and logs what minters warn operators about. */
export const minterWarnings = (metrics: Metrics, log: Logger) => ({
  warn({ target, what, advice, answer }: Parameters<MinterDeps['warn']>[0]) {
    metrics.minterWarning(what);
    log.warn({ target, what, answer }, advice);
  },
  expectWarnings: (subjects: readonly string[]) => metrics.expect('what', subjects),
});

/** Whoever has proved an identity was here, whatever becomes of the request. */
export const rememberCallers =
  (identify: Identify, memory: Pick<PartyMemory, 'called'>): Identify =>
  async (token, as) => {
    const caller = await identify(token, as);
    memory.called(caller.party);
    return caller;
  };

/** Returns one of the few fixed sentences of identity/, or the code of the error. */
function reasonOf(error: unknown): string {
  if (!(error instanceof BrokerError)) return 'failed';
  return error.cause instanceof Error && error.cause.name === 'Refused' ? error.cause.message : error.code;
}

export const instrumentPolicy = (policy: PolicyEngine, metrics: Metrics): PolicyEngine =>
  wrapEngine(policy, {
    decide: timed(metrics.policyTook, (...asked: Parameters<PolicyEngine['decide']>) => policy.decide(...asked)),
  });

/** Counts questions to people and their answers, and logs an emergency as it is declared: whoever reads neither webhooks nor metrics may read the log. */
export function instrumentAudit(audit: AuditLog, { metrics, log }: { metrics: Metrics; log: Logger }): AuditLog {
  let waiting = 0;
  const append = timed(metrics.auditAppendTook, (event: Parameters<AuditLog['append']>[0]) => audit.append(event));
  return {
    ...audit,
    async append(event) {
      metrics.auditWaiting((waiting += 1));
      try {
        await append(event);
        const { type, approval, actor, workload, target } = event;
        if (approval?.says && type.startsWith('approval.')) metrics.approvalAnswered(approval.says);
        if (type === 'approval.requested') metrics.approvalQuestion('requested');
        if (type === 'approval.cancelled') metrics.approvalQuestion('cancelled');
        if (type === 'approval.emergency')
          log.warn({ approval: approval?.id, by: actor?.id, workload, target }, 'somebody has declared an emergency');
      } finally {
        metrics.auditWaiting((waiting -= 1));
      }
    },
  };
}

/** Returns the call, which now says how long it took, whatever comes of it. */
export const timed =
  <A extends unknown[], R>(took: Took, call: (...input: A) => Promise<R>) =>
  async (...input: A): Promise<R> => {
    const from = performance.now();
    try {
      return await call(...input);
    } finally {
      took((performance.now() - from) / 1000);
    }
  };
