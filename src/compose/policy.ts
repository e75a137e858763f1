/** Opens the policy engine that the configuration names. */
import type { AuditLog } from '../audit/log.js';
import type { Config } from '../config/schema.js';
import type { Clock } from '../domain/time.js';
import type { ProxyFor } from '../outbound/proxy.js';
import { createCedarEngine } from '../policy/cedar/cedar.js';
import type { PolicyEngine } from '../policy/policy-engine.js';
import { authzen } from '../policy/remote/authzen.js';
import type { DecisionPoint } from '../policy/remote/decision-point.js';
import { opa } from '../policy/remote/opa.js';
import { createRemoteEngine } from '../policy/remote/remote.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { withTrial } from './policy-trial.js';

/** A verdict takes about a kilobyte of memory. */
const VERDICTS_KEPT = 10_000;

interface Around {
  audit: Pick<AuditLog, 'append'>;
  clock: Pick<Clock, 'elapsed' | 'unchecked'>;
  proxyFor: ProxyFor;
  metrics: Pick<Metrics, 'policyEvaluated' | 'policyUnanswered' | 'policyTried'>;
  log: Pick<Logger, 'error'>;
}

export async function openPolicy(
  config: Pick<Config, 'policy' | 'targets' | 'trust' | 'purposes'>,
  around: Around,
): Promise<PolicyEngine> {
  const { clock, proxyFor, metrics } = around;
  const { policy, targets } = config;
  const onEvaluation = () => metrics.policyEvaluated();
  if (policy.engine === 'cedar') {
    const { directory, trial } = policy;
    const load = { directory, configured: config, maxCachedVerdicts: VERDICTS_KEPT, onEvaluation };
    const binding = await createCedarEngine(load);
    return trial ? withTrial(binding, { directory: trial.directory, configured: config }, around) : binding;
  }
  const { actions, patterns, timeoutMs } = policy;
  return createRemoteEngine({
    point: decisionPoint(policy, proxyFor),
    targets,
    actions,
    patterns,
    timeoutMs,
    elapsed: () => clock.elapsed(),
    onQuestion: onEvaluation,
    onUnanswered: (reason) => metrics.policyUnanswered(reason),
  });
}

type RemotePolicy = Exclude<Config['policy'], { engine: 'cedar' }>;

export const decisionPoint = (policy: RemotePolicy, proxyFor: ProxyFor): DecisionPoint =>
  policy.engine === 'opa' ? opa({ ...policy, proxyFor }) : authzen({ ...policy, proxyFor });
