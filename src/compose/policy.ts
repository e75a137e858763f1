/** Opens the policy engine that the configuration names. */
import type { Config } from '../config/schema.js';
import type { Clock } from '../domain/time.js';
import type { ProxyFor } from '../outbound/proxy.js';
import { createCedarEngine } from '../policy/cedar/cedar.js';
import type { PolicyEngine } from '../policy/policy-engine.js';
import { authzen } from '../policy/remote/authzen.js';
import type { DecisionPoint } from '../policy/remote/decision-point.js';
import { opa } from '../policy/remote/opa.js';
import { createRemoteEngine } from '../policy/remote/remote.js';
import type { Metrics } from '../telemetry/metrics.js';

/** A verdict takes about a kilobyte of memory. */
const VERDICTS_KEPT = 10_000;

interface Around {
  clock: Pick<Clock, 'elapsed'>;
  proxyFor: ProxyFor;
  metrics: Pick<Metrics, 'policyEvaluated' | 'policyUnanswered'>;
}

export function openPolicy(
  config: Pick<Config, 'policy' | 'targets' | 'trust' | 'purposes'>,
  { clock, proxyFor, metrics }: Around,
): Promise<PolicyEngine> {
  const { policy, targets } = config;
  const onEvaluation = () => metrics.policyEvaluated();
  if (policy.engine === 'cedar') {
    const { directory } = policy;
    return createCedarEngine({ directory, configured: config, maxCachedVerdicts: VERDICTS_KEPT, onEvaluation });
  }
  const { actions, patterns } = policy;
  return createRemoteEngine({
    point: decisionPoint(policy, proxyFor),
    targets,
    actions,
    patterns,
    elapsed: () => clock.elapsed(),
    onQuestion: onEvaluation,
    onUnanswered: (reason) => metrics.policyUnanswered(reason),
  });
}

type RemotePolicy = Exclude<Config['policy'], { engine: 'cedar' }>;

export const decisionPoint = (policy: RemotePolicy, proxyFor: ProxyFor): DecisionPoint =>
  policy.engine === 'opa' ? opa({ ...policy, proxyFor }) : authzen({ ...policy, proxyFor });
