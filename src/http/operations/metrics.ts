/** GET /metrics: Prometheus text. */
import type { Metrics } from '../../telemetry/metrics.js';
import type { Handle } from '../endpoint.js';

export const metricsPage =
  (metrics: Pick<Metrics, 'exposition'>): Handle =>
  async () => {
    const { contentType, body } = await metrics.exposition();
    return { status: 200, headers: { 'Content-Type': contentType }, body };
  };
