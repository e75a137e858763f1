/** GET /workloads/{id}/risk: how far a workload is trusted less than usual, why, and when that passes. */
import { defined } from '../domain/defined.js';
import { toTimestamp } from '../domain/time.js';
import { showRisk, type WorkloadRisk } from '../inventory/workload-risk.js';
import type { HttpDeps } from './deps.js';
import { ok } from './wire/endpoint.js';
import { brokerOperation, nothing } from './wire/operation.js';

export const workloadRisk = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    from: 'query',
    input: nothing,
    async act(caller, _, { params }) {
      const { because, tasks, ...risk } = await showRisk(deps, caller, params['id'] ?? '');
      const { worst, ...counted } = tasks;
      return ok(
        defined({
          ...risk,
          because: because && whyOnWire(because),
          tasks: { ...counted, ...(worst && { worst: { task: worst.task, ...whyOnWire(worst) } }) },
        }),
      );
    },
  });

const whyOnWire = ({ on, risk, level, falls, signal }: NonNullable<WorkloadRisk['because']>) =>
  defined({
    on,
    level,
    set: { level: risk.level, at: toTimestamp(risk.at) },
    falls: falls && { to: falls.to, at: toTimestamp(falls.at) },
    why: risk.why,
    signal: risk.signal,
    // What the signal said, for as long as it is remembered.
    event: signal?.event,
    source: signal?.source,
  });
