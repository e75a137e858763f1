/** Whether this broker should be sent requests, and if not, why: sentences for operators, without secrets. */
import type { Clock } from '../domain/time.js';
import type { Check, Fitness } from './fitness.js';
import type { Metrics } from '../telemetry/metrics.js';

export type Readiness = () => Promise<Check[]>;

/** A sweep that did not run, or that found work this old, is behind. */
const SWEEP_BEHIND_MS = 10_000;

/** What the schedule tells of its jobs. */
export interface Pulse {
  /** The last time the sweep ran through, and how overdue its oldest work was then. Milliseconds. */
  swept?: { at: number; lagMs: number };
  /** Whether the last attempt to bring the audit log up to date succeeded. */
  auditFollows: boolean;
  draining: boolean;
}

interface ReadinessDeps {
  fitness: Pick<Fitness, 'check'>;
  policy: { readonly digest: string };
  pulse: Pulse;
  clock: Clock;
  metrics: Pick<Metrics, 'ready'>;
  /** Targets to which revocations cannot be pushed now. */
  failingTargets?: ReadonlySet<string> | undefined;
  /** Webhooks that have not been told for long. */
  behind: ReadonlyMap<string, number>;
}

export const createReadiness =
  ({ fitness, policy, pulse, clock, metrics, failingTargets = new Set(), behind }: ReadinessDeps): Readiness =>
  async () => {
    const checks = [
      ...(await fitness.check()),
      check('policy', policy.digest !== '', 'no policies are in force'),
      sweepCheck(pulse, clock.now()),
      check('audit', pulse.auditFollows, 'the audit log does not take entries'),
      check('running', !pulse.draining, 'the broker is shutting down'),
      // Degraded, not unready: the other brokers cannot write to these targets either, and all other targets are served.
      {
        ...check(
          'targets',
          failingTargets.size === 0,
          `revocations cannot be written to ${[...failingTargets].join(', ')}`,
        ),
        degrades: true as const,
      },
      {
        ...check('webhooks', behind.size === 0, `not told what happens: ${[...behind.keys()].join(', ')}`),
        degrades: true as const,
      },
    ];
    for (const { name, ok } of checks) metrics.ready(name, ok);
    return checks;
  };

function sweepCheck({ swept }: Pulse, now: number): Check {
  if (!swept) return check('sweep', false, 'no sweep has run yet');
  const ageMs = Math.abs(now - swept.at);
  const late = Math.max(ageMs, swept.lagMs);
  return check('sweep', late < SWEEP_BEHIND_MS, `the sweep is ${Math.round(late / 1000)} s behind`);
}

const check = (name: string, holds: boolean, otherwise: string): Check =>
  holds ? { name, ok: true } : { name, ok: false, reason: otherwise };
