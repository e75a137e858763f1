/** The endpoints of the operations listener: liveness, readiness, metrics. */
import type { Readiness } from '../health/readiness.js';
import { ok, type Handle } from './wire/endpoint.js';
import type { Metrics } from '../telemetry/metrics.js';

/** GET /health/live returns 200. The answer itself is the proof. */
export const liveness: Handle = () => Promise.resolve(ok({ status: 'live' }));

/** GET /health/ready returns 503 if a load balancer should send no requests to this broker. */
export const readiness =
  (checkAll: Readiness): Handle =>
  async () => {
    const checks = await checkAll();
    const wrong = checks.filter(({ ok }) => !ok);
    const ready = wrong.every(({ degrades }) => degrades);
    const status = !ready ? 'not ready' : wrong.length > 0 ? 'degraded' : 'ready';
    return { status: ready ? 200 : 503, body: { status, checks } };
  };

/** GET /metrics returns Prometheus text. */
export const metricsPage =
  (metrics: Pick<Metrics, 'exposition'>): Handle =>
  async () => {
    const { contentType, body } = await metrics.exposition();
    return { status: 200, headers: { 'Content-Type': contentType }, body };
  };
