/** The endpoints of the operations listener: liveness, readiness, metrics. */
import { statusOf } from '../health/check.js';
import type { Liveness } from '../health/liveness.js';
import type { Readiness } from '../health/readiness.js';
import type { PolicyEngine } from '../policy/policy-engine.js';
import { ok, type Handle } from './wire/endpoint.js';
import type { Metrics } from '../telemetry/metrics.js';

/** GET /health/live returns 503 if the process should be restarted. */
export const liveness =
  ({ reason }: Pick<Liveness, 'reason'>): Handle =>
  () => {
    const wrong = reason();
    const dead = { status: 503, body: { status: 'not live', reason: wrong } };
    return Promise.resolve(wrong === undefined ? ok({ status: 'live' }) : dead);
  };

interface ReadinessDeps {
  readiness: Readiness;
  /** `digest`: of the policies in force. */
  policy: Pick<PolicyEngine, 'digest'>;
}

/** GET /health/ready returns 503 if a load balancer should send no requests to this broker. */
export const readiness =
  ({ readiness: checkAll, policy }: ReadinessDeps): Handle =>
  async () => {
    const checks = await checkAll();
    const status = statusOf(checks);
    return { status: status === 'not ready' ? 503 : 200, body: { status, policies: policy.digest, checks } };
  };

/** GET /metrics returns Prometheus text. */
export const metricsPage =
  (metrics: Pick<Metrics, 'exposition'>): Handle =>
  async () => {
    const { contentType, body } = await metrics.exposition();
    return { status: 200, headers: { 'Content-Type': contentType }, body };
  };
