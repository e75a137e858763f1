/** GET /workloads/{id}/risk: the risk level of a workload and of its open tasks, the reason, and when the level falls. */
import { defined } from '../domain/defined.js';
import { toTimestamp } from '../domain/time.js';
import { ok } from './wire/endpoint.js';
import { brokerOperation, nothing } from './wire/operation.js';
import { showRisk, type WorkloadRisk } from '../inventory/workload-risk.js';
import type { HttpDeps } from './deps.js';

export const workloadRisk = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    from: 'query',
    input: nothing,
    async act(permitted, _, { params }) {
      const { because, tasks, ...risk } = await showRisk(deps, permitted, params['id'] ?? '');
      const { worst, ...counted } = tasks;
      return ok(
        defined({
          ...risk,
          because: because && riskOnWire(because),
          tasks: { ...counted, ...(worst && { worst: { task: worst.task, ...riskOnWire(worst) } }) },
        }),
      );
    },
  });

const riskOnWire = ({ on, risk, level, falls, signal }: NonNullable<WorkloadRisk['because']>) =>
  defined({
    on,
    level,
    set: { level: risk.level, at: toTimestamp(risk.at) },
    falls: falls && { to: falls.to, at: toTimestamp(falls.at) },
    why: risk.why,
    signal: risk.signal,
    // The contents of the signal are shown as long as its record exists.
    event: signal?.event,
    source: signal?.source,
  });
