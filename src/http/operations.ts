/** The endpoints of the operations listener: liveness, readiness, metrics. */
import { z } from 'zod';
import { statusOf } from '../health/check.js';
import type { Liveness } from '../health/liveness.js';
import type { Readiness } from '../health/readiness.js';
import type { PolicyEngine } from '../policy/policy-engine.js';
import { described, json, type Contract } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import type { Metrics } from '../telemetry/metrics.js';

const livenessContract: Contract = {
  summary: 'Says whether the process should be restarted.',
  proof: 'none',
  answers: {
    200: json(z.strictObject({ status: z.literal('live') })),
    503: json(z.strictObject({ status: z.literal('not live'), reason: z.string() })),
  },
};

export const liveness = ({ reason }: Pick<Liveness, 'reason'>) =>
  described(livenessContract, () => {
    const wrong = reason();
    const dead = { status: 503, body: { status: 'not live', reason: wrong } };
    return Promise.resolve(wrong === undefined ? ok({ status: 'live' }) : dead);
  });

const readinessAnswer = z.strictObject({
  status: z.enum(['ready', 'degraded', 'not ready']),
  policies: z.string().describe('The digest of the policies in force.'),
  checks: z
    .array(
      z.strictObject({
        name: z.string(),
        ok: z.boolean(),
        reason: z.string().exactOptional(),
        degrades: z.literal(true).exactOptional().describe('The broker serves all the same.'),
      }),
    )
    .describe('[Each check](operations.md#health).'),
});

const readinessContract: Contract = {
  summary: 'Says whether a load balancer should send requests to this broker.',
  proof: 'none',
  answers: { 200: json(readinessAnswer), 503: json(readinessAnswer) },
};

interface ReadinessDeps {
  readiness: Readiness;
  /** `digest`: of the policies in force. */
  policy: Pick<PolicyEngine, 'digest'>;
}

export const readiness = ({ readiness: checkAll, policy }: ReadinessDeps) =>
  described(readinessContract, async () => {
    const checks = await checkAll();
    const status = statusOf(checks);
    return { status: status === 'not ready' ? 503 : 200, body: { status, policies: policy.digest, checks } };
  });

const metricsContract: Contract = {
  summary: 'Returns the [metrics](operations.md#metrics).',
  proof: 'none',
  answers: { 200: { 'text/plain': 'Prometheus text.' } },
};

export const metricsPage = (metrics: Pick<Metrics, 'exposition'>) =>
  described(metricsContract, async () => {
    const { contentType, body } = await metrics.exposition();
    return { status: 200, headers: { 'Content-Type': contentType }, body };
  });
