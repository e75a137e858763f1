/** GET /workloads/{id}/risk: the risk level of a workload and of its open tasks, the reason, and when the level falls. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { natural } from '../domain/schemas.js';
import { LEVELS } from '../domain/signal.js';
import { toTimestamp } from '../domain/time.js';
import { selectorAnswer } from './wire/answers.js';
import { json, time } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { brokerOperation, nothing } from './wire/operation.js';
import { showRisk, type WorkloadRisk } from '../inventory/workload-risk.js';
import type { HttpDeps } from './deps.js';

const level = z.enum(LEVELS);

const because = {
  on: selectorAnswer,
  level: level.describe('What is left of it now.'),
  set: z.strictObject({ level, at: time() }).describe('What it was set to, and when.'),
  falls: z.strictObject({ to: level, at: time() }).exactOptional().describe('When it falls next.'),
  why: z.string(),
  signal: z.string().describe('The id of the signal that set it.'),
  event: z.string().exactOptional(),
  source: z.string().exactOptional().describe('Of that signal, while its record exists.'),
};

const riskAnswer = z
  .strictObject({
    workload: z.string(),
    level,
    because: z.strictObject(because).exactOptional().describe('Absent where the level is `LOW`.'),
    tasks: z
      .strictObject({
        looked: natural.describe('How many open tasks were looked at.'),
        all: z.boolean().describe('Whether these are all of them.'),
        level,
        worst: z.strictObject({ task: z.string(), ...because }).exactOptional(),
      })
      .describe('The highest risk of its open tasks.'),
  })
  .meta({ id: 'Risk', description: 'How much less than usual a workload is trusted now.' });

export const workloadRisk = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    summary: 'Shows the risk of a workload and of its open tasks: its level, the reason, and when it falls.',
    path: { id: 'The id of the workload, as it is or percent-encoded.' },
    answers: { 200: json(riskAnswer) },
    refusals: ['not_found'],
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
