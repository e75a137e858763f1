/** The composition root: a configuration in, a broker out, everything wired once. */
import { defined } from '../domain/defined.js';
import type { LoadedConfig } from '../config/load.js';
import type { Clock } from '../domain/time.js';
import { listen, type Listener } from './listen.js';
import { makeParts, type Surroundings } from './parts.js';
import { JOBS, recurringWork, type Work } from './work.js';
import { createApp, createOperationsApp } from '../http/server.js';
import type { PolicyReload } from '../policy/policy-engine.js';
import { createReadiness, type Pulse } from '../health/readiness.js';
import { startSchedule, type Schedule } from './schedule.js';
import { openStore } from './open-store.js';
import type { Store } from '../store/store.js';
import { instrumentStore } from './instrument-store.js';
import { createLogger, type Logger } from '../telemetry/log.js';
import { createMetrics } from '../telemetry/metrics.js';

export interface Broker {
  /** Listens, and begins its recurring work. `scheduled: false` leaves that to the caller's hand. */
  start(how?: { scheduled?: boolean }): Promise<{ url: string; operationsUrl: string }>;
  work: Work;
  /** Reads the policies again: all of them, or nothing changes. */
  reloadPolicies(): Promise<PolicyReload>;
  /** Drains: nothing new is accepted, what is in flight finishes or is cut off. */
  close(patienceMs?: number): Promise<void>;
}

const DRAIN_MS = 10_000;

export async function compose(
  loaded: LoadedConfig,
  { clock, log = createLogger(loaded.config.log) }: { clock: Clock; log?: Logger },
): Promise<Broker> {
  const metrics = createMetrics(clock);
  const selection = { store: loaded.store, redis: loaded.config.redis, clock, role: 'broker' } as const;
  const store = instrumentStore(await openStore(selection), metrics);
  try {
    return await brokerOver(store, loaded, { clock, log, metrics });
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function brokerOver(store: Store, loaded: LoadedConfig, around: Surroundings): Promise<Broker> {
  const { config } = loaded;
  const { clock, log, metrics } = around;
  const { deps, keys, fitness, aws, signals, detectors, notifier } = await makeParts(loaded, store, around);
  const { ledger, audit, policy } = deps;
  const pulse: Pulse = { auditFollows: true, draining: false };
  const readiness = createReadiness({
    ...{ fitness, policy, pulse, clock, metrics },
    ...{ failingTargets: aws?.failing, behind: notifier.behind },
  });
  const { retentionDays: auditRetentionDays } = config.audit;
  const work = recurringWork({
    ...{ ledger, store, audit, keys, fitness, signals, detectors, notifier, readiness, pulse, metrics, clock, log },
    ...defined({ reconciler: aws?.reconciler, auditRetentionDays }),
  });
  const notePolicies = (installed: string) => audit.append({ type: 'policy.loaded', at: clock.now(), installed });
  const listeners: Listener[] = [];
  let schedule: Schedule | undefined;

  return {
    work,
    async start({ scheduled = true } = {}) {
      await ledger.log.look([]); // A lost log is found before anything is answered.
      await work('fitness');
      await work('sweep');
      await notifier.begin();
      await notePolicies(policy.digest);
      const api = await listen(createApp(deps), config.listen);
      const operations = await listen(createOperationsApp({ ...deps, readiness }), config.operations);
      listeners.push(api, operations);
      if (scheduled) schedule = startSchedule(JOBS, work, log);
      return { url: api.url, operationsUrl: operations.url };
    },
    async reloadPolicies() {
      const result = await policy.reload();
      if (result.problems.length === 0) await notePolicies(result.digest);
      return result;
    },
    async close(patienceMs = DRAIN_MS) {
      pulse.draining = true;
      const [api, operations] = listeners;
      await api?.close(patienceMs);
      await schedule?.stop(patienceMs);
      const releaseLeases = async () => aws?.reconciler.releaseLeases();
      await leave(log, [() => work('detectors'), () => signals.close(), releaseLeases, () => notifier.close()]);
      await operations?.close(0);
      await store.close();
    },
  };
}

/** In this order, and none for want of another: what is left undone others do, a little later. */
async function leave(log: Logger, steps: readonly (() => Promise<void>)[]): Promise<void> {
  for (const step of steps) await step().catch((err: unknown) => log.warn({ err }, 'something was left undone'));
}
