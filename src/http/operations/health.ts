/** GET /health/live and /health/ready, for whoever restarts brokers and whoever routes to them. */
import type { Handle } from '../endpoint.js';
import { ok } from '../endpoint.js';
import type { Readiness } from '../../health/readiness.js';

/** That this is answered is the answer. */
export const liveness: Handle = () => Promise.resolve(ok({ status: 'live' }));

export const readiness =
  (judge: Readiness): Handle =>
  async () => {
    const checks = await judge();
    const wrong = checks.filter(({ ok }) => !ok);
    const ready = wrong.every(({ degrades }) => degrades);
    const status = !ready ? 'not ready' : wrong.length > 0 ? 'degraded' : 'ready';
    return { status: ready ? 200 : 503, body: { status, checks } };
  };
