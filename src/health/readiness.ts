/** Whether a load balancer should send requests to this broker, and if not, why not. */
import type { Clock } from '../domain/time.js';
import type { Metrics } from '../telemetry/metrics.js';
import { check, degradingCheck, type Check } from './check.js';
import type { Fitness } from './fitness.js';

export type Readiness = () => Promise<Check[]>;

/** The sweep is behind if its last run, or the oldest work that it found, is older than this. */
const SWEEP_BEHIND_MS = 10_000;

/** What the recurring jobs report about themselves. */
export interface Pulse {
  /** When the last sweep ended, and for how long its oldest work had been due. Milliseconds. */
  swept?: { at: number; lagMs: number };
  /** Whether the last attempt to bring the audit log up to date succeeded. */
  auditFollows: boolean;
  draining: boolean;
}

interface ReadinessDeps {
  fitness: Pick<Fitness, 'check'>;
  policy: { readonly digest: string };
  policies: {
    /** Why the files in the directory of policies are not in force. */
    mistakes(): readonly string[];
    /** Why an engine outside the broker does not answer; undefined while it does. */
    outage(): string | undefined;
    /** Digests of the policies by which other brokers on the store decide, if not by these. */
    others(): readonly string[];
  };
  pulse: Pulse;
  clock: Clock;
  metrics: Pick<Metrics, 'ready'>;
  /** Targets to which revocations cannot be written now. */
  failingTargets?: ReadonlySet<string> | undefined;
  /** Webhooks that have been behind for long, by name. */
  behind: ReadonlyMap<string, number>;
  /** What is wrong with the keys of issuers and transmitters, by whose they are. */
  troubles: ReadonlyMap<string, string>;
}

export const createReadiness =
  ({
    fitness,
    policy,
    policies,
    pulse,
    clock,
    metrics,
    failingTargets = new Set(),
    behind,
    troubles,
  }: ReadinessDeps): Readiness =>
  async () => {
    const failing = [...failingTargets].join(', ');
    const checks = [
      ...(await fitness.check()),
      policyCheck(policy.digest, policies.outage()),
      sweepCheck(pulse, clock.unchecked()),
      check('audit', pulse.auditFollows, 'the audit log does not take entries'),
      check('running', !pulse.draining, 'the broker is shutting down'),
      // The broker is degraded and not unready: other brokers cannot write to these targets either, and all other targets
      // are served.
      degradingCheck('targets', failingTargets.size === 0, `revocations cannot be written to ${failing}`),
      degradingCheck(
        'issuers',
        troubles.size === 0,
        [...troubles].map(([name, what]) => `${name}: ${what}`).join('; '),
      ),
      // Those in force are whole, though not those that somebody wants.
      filesCheck(policies.mistakes()),
      agreementCheck(policies.others()),
      degradingCheck('webhooks', behind.size === 0, `events wait to be delivered to ${[...behind.keys()].join(', ')}`),
    ];
    for (const { name, ok } of checks) metrics.ready(name, ok);
    return checks;
  };

/** The broker is unready, as an engine is mostly its own: that of another broker may answer. */
const policyCheck = (digest: string, outage: string | undefined): Check =>
  check('policy', digest !== '' && outage === undefined, outage ?? 'no policies are in force');

const MISTAKES_SHOWN = 3;

function filesCheck(mistakes: readonly string[]): Check {
  const more = mistakes.length - MISTAKES_SHOWN;
  const shown = [...mistakes.slice(0, MISTAKES_SHOWN), ...(more > 0 ? [`${more} more`] : [])].join('; ');
  return degradingCheck('policy-files', mistakes.length === 0, `the policies of before stay in force: ${shown}`);
}

const agreementCheck = (others: readonly string[]): Check =>
  degradingCheck(
    'policy-agreement',
    others.length === 0,
    `other brokers on this store decide by other policies, or facts about targets: ${others.join(', ')}`,
  );

function sweepCheck({ swept }: Pulse, now: number): Check {
  if (!swept) return check('sweep', false, 'no sweep has run yet');
  const ageMs = Math.abs(now - swept.at);
  const late = Math.max(ageMs, swept.lagMs);
  return check('sweep', late < SWEEP_BEHIND_MS, `the sweep is ${Math.round(late / 1000)} s behind`);
}
