/** The composition root: makes a broker from a configuration, and wires its parts once. */
import type { LoadedConfig } from '../config/load.js';
import type { SystemClock } from '../domain/time.js';
import { createLiveness } from '../health/liveness.js';
import { createReadiness, type Pulse } from '../health/readiness.js';
import { createApp, createOperationsApp } from '../http/server.js';
import type { PolicyReload } from '../policy/policy-engine.js';
import type { Store } from '../store/store.js';
import { createLogger, type Logger } from '../telemetry/log.js';
import { createMetrics } from '../telemetry/metrics.js';
import { instrumentStore } from './instrument-store.js';
import { listen, type Listener } from './listen.js';
import { openStore } from './open-store.js';
import { makeParts, type Surroundings } from './parts.js';
import { startSchedule, type Schedule } from './schedule.js';
import { JOBS, recurringWork, type Work } from './work.js';

export interface Broker {
  /** Listens and starts the recurring jobs. With `scheduled: false` the caller runs the jobs itself, by `work`. */
  start(how?: { scheduled?: boolean }): Promise<{ url: string; operationsUrl: string }>;
  work: Work;
  /** Reads all policies again. When one has a problem, nothing changes. */
  reloadPolicies(): Promise<PolicyReload>;
  /** Accepts no more requests, and waits for those in flight. Requests that take longer than `patienceMs` are cut off. */
  close(patienceMs?: number): Promise<void>;
}

const DRAIN_MS = 10_000;
/** They write down what this process knows from memory alone. */
const LAST_JOBS = ['detectors', 'refusals'] as const;

export async function compose(
  loaded: LoadedConfig,
  { clock: system, log = createLogger(loaded.config.log) }: { clock: SystemClock; log?: Logger },
): Promise<Broker> {
  const metrics = createMetrics(system);
  const selection = { store: loaded.store, redis: loaded.config.redis, clock: system, role: 'broker' } as const;
  const store = instrumentStore(await openStore(selection), metrics);
  try {
    return await brokerOver(store, loaded, { system, log, metrics });
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function brokerOver(opened: Store, loaded: LoadedConfig, around: Surroundings): Promise<Broker> {
  const { config } = loaded;
  const { system, log, metrics } = around;
  const liveness = createLiveness(system);
  const store = liveness.watch(opened);
  const parts = await makeParts(loaded, store, around);
  const { deps, clock, fitness, enforcement, signals, notifier } = parts;
  const { ledger, audit, policy } = deps;
  const pulse: Pulse = { auditFollows: true, draining: false };
  const { failing: failingTargets, reconcilers } = enforcement;
  const { behind } = notifier;
  const readiness = createReadiness({ fitness, policy, pulse, clock, metrics, failingTargets, behind });
  const { retentionDays: auditRetentionDays } = config.audit;
  const more = { ledger, store, audit, readiness, pulse, reconcilers, auditRetentionDays };
  const work = recurringWork({ ...parts, ...around, ...more });
  const auditPolicies = (installed: string) =>
    audit.append({ type: 'policy.loaded', at: clock.unchecked(), installed });
  const listeners: Listener[] = [];
  let schedule: Schedule | undefined;

  return {
    work,
    async start({ scheduled = true } = {}) {
      await ledger.log.look([]); // A lost revocation log is noticed before any request is answered.
      await work('fitness');
      await work('sweep');
      await notifier.begin();
      await auditPolicies(policy.digest);
      const api = await listen(createApp(deps), config.listen);
      const operations = await listen(createOperationsApp({ ...deps, readiness, liveness }), config.operations);
      listeners.push(api, operations);
      if (scheduled) schedule = startSchedule(JOBS, work, log);
      return { url: api.url, operationsUrl: operations.url };
    },
    async reloadPolicies() {
      const result = await policy.reload();
      if (result.problems.length === 0) await auditPolicies(result.digest);
      return result;
    },
    async close(patienceMs = DRAIN_MS) {
      pulse.draining = true;
      const [api, operations] = listeners;
      await api?.close(patienceMs);
      await schedule?.stop(patienceMs);
      const { releaseLeases } = enforcement;
      const lastJobs = LAST_JOBS.map((job) => () => work(job));
      await runAll(log, [...lastJobs, () => signals.close(), releaseLeases, () => notifier.close()]);
      await operations?.close(0);
      await store.close();
    },
  };
}

/** Runs every step, in this order, even where one fails. Other brokers take over what is left undone. */
async function runAll(log: Logger, steps: readonly (() => Promise<void>)[]): Promise<void> {
  for (const step of steps)
    await step().catch((err: unknown) =>
      log.warn({ err }, 'a step of the shutdown failed; another broker takes over what is left'),
    );
}
