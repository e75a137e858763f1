/** The composition root: makes a broker from a configuration, and wires its parts once. */
import type { LoadedConfig } from '../config/load.js';
import { packageVersion } from '../config/package-file.js';
import { JSON_SOURCE, NO_REACTION } from '../domain/reserved.js';
import { DETECTOR } from '../domain/signal.js';
import type { SystemClock } from '../domain/time.js';
import { createLiveness } from '../health/liveness.js';
import { loggedReadiness } from '../health/readiness-log.js';
import { createReadiness, type Pulse } from '../health/readiness.js';
import { createApp, createOperationsApp } from '../http/server.js';
import type { PolicyReload } from '../policy/policy-engine.js';
import type { Store } from '../store/store.js';
import { createLogger, type Logger } from '../telemetry/log.js';
import { createMetrics, type Metrics } from '../telemetry/metrics.js';
import { instrumentStore } from './instrument-store.js';
import { listen, type Listener } from './listen.js';
import { openStore } from './open-store.js';
import { makeParts, type Surroundings } from './parts.js';
import { policyLoads } from './policy-loads.js';
import { watchPolicies } from './policy-watch.js';
import { startSchedule, type Schedule } from './schedule.js';
import { watchIssuers } from './watch-issuers.js';
import { JOBS, recurringWork, type Work } from './work.js';

export interface Broker {
  /** Listens and starts the recurring jobs. With `scheduled: false` the caller runs the jobs itself, by `work`. */
  start(how?: { scheduled?: boolean }): Promise<{ url: string; operationsUrl: string }>;
  work: Work;
  /** Reads all policies again. When one has a problem, nothing changes. */
  reloadPolicies(): Promise<PolicyReload>;
  /**
   * Is not ready from now on, goes on answering for `pauseMs`, then accepts no more requests, and waits for those in flight.
   * Requests that take longer than `patienceMs` are cut off.
   */
  close(how?: { pauseMs?: number; patienceMs?: number }): Promise<void>;
}

const PATIENCE_MS = 10_000;
/** They write down what this process knows from memory alone. */
const LAST_JOBS = ['detectors', 'refusals'] as const;

export async function compose(
  loaded: LoadedConfig,
  { clock: system, log = createLogger(loaded.config.log) }: { clock: SystemClock; log?: Logger },
): Promise<Broker> {
  const metrics = createMetrics(system);
  expectLabels(metrics, loaded.config);
  const selection = { store: loaded.store, config: loaded.config, clock: system, role: 'broker' } as const;
  const store = instrumentStore(await openStore(selection), metrics);
  try {
    return await brokerOver(store, loaded, { system, log, metrics });
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function brokerOver(opened: Store, loaded: LoadedConfig, around: Surroundings): Promise<Broker> {
  const [{ config }, { system, log }] = [loaded, around];
  const liveness = createLiveness(system);
  const store = liveness.watch(opened);
  const { parts, readiness, work, pulse, loads, policies } = await assembled(store, loaded, around);
  const { deps, clock, fitness, enforcement, signals, notifier } = parts;
  const { ledger, feed, answers, policy } = deps;
  const listeners: Listener[] = [];
  let schedule: Schedule | undefined;

  return {
    work,
    async start({ scheduled = true } = {}) {
      await ledger.log.look([]); // A lost revocation log is noticed before any request is answered.
      await fitness.check(); // That of makeParts may be too old by now, and then nothing would be swept.
      // A store that takes no records, for example on a full disk, still takes revocations: somebody must answer them.
      await runAll(log, 'a step of the start failed; the broker repeats it', [
        () => work('sweep'),
        () => notifier.begin(),
      ]);
      await loads.enter(policy);
      const api = await listen(createApp(deps), config.listen);
      const operations = await listen(createOperationsApp({ ...deps, readiness, liveness }), config.operations);
      listeners.push(api, operations);
      const urls = { url: api.url, operationsUrl: operations.url };
      log.info({ version: packageVersion(), ...urls, store: loaded.store.kind }, 'listening');
      await work('fitness');
      if (scheduled) schedule = startSchedule(JOBS, work, log);
      return urls;
    },
    reloadPolicies: () => policies.reload(),
    async close({ pauseMs = config.drainSeconds * 1000, patienceMs = PATIENCE_MS } = {}) {
      pulse.draining = true;
      const [api, operations] = listeners;
      if (api) await work('fitness'); // A load balancer that asks learns at once that this broker is not ready.
      // Nobody sends verifiers here any more by then: they come again, to another broker.
      const wakeAll = () => [feed, answers].forEach((one) => one.close());
      await api?.close({ pause: () => clock.pause(pauseMs).then(wakeAll), patienceMs });
      await schedule?.stop(patienceMs);
      await runAll(log, 'a step of the shutdown failed; another broker takes over what is left', [
        ...LAST_JOBS.map((job) => () => work(job)),
        () => signals.close(),
        () => policies.close(),
        enforcement.releaseLeases,
        () => notifier.close(),
      ]);
      await operations?.close({ patienceMs: 0 });
      await store.close();
    },
  };
}

/** Names for the metrics what the configuration names. */
function expectLabels(metrics: Metrics, { signals, notify }: LoadedConfig['config']): void {
  const names = (named: readonly { name: string }[]) => named.map(({ name }) => name);
  metrics.expect('source', [JSON_SOURCE, DETECTOR, ...names(signals.transmitters)]);
  metrics.expect('reaction', [NO_REACTION, ...names(signals.reactions)]);
  metrics.expect('webhook', names(notify));
}

/** Makes the parts, and what watches over them: readiness and the recurring jobs. */
async function assembled(store: Store, loaded: LoadedConfig, around: Surroundings) {
  const { log, metrics } = around;
  const parts = await makeParts(loaded, store, around);
  const { deps, clock, fitness, enforcement, notifier } = parts;
  const { ledger, feed, audit, policy, requests } = deps;
  const issuers = watchIssuers([...parts.issuers, ...deps.transmitters.keys]);
  const pulse: Pulse = { auditFollows: true, draining: false };
  const { failing: failingTargets, reconcilers } = enforcement;
  const { behind } = notifier;
  const loads = policyLoads({ audit, clock, log });
  const policies = watchPolicies({ policy, loads, ledger, node: parts.node, metrics, log });
  const checked = {
    fitness,
    policy,
    policies,
    pulse,
    clock,
    metrics,
    failingTargets,
    behind,
    troubles: issuers.troubles,
  };
  const readiness = loggedReadiness(createReadiness(checked), log);
  const { retentionDays: auditRetentionDays } = loaded.config.audit;
  const more = {
    issuers,
    ledger,
    feed,
    store,
    audit,
    requests,
    loads,
    policies,
    readiness,
    pulse,
    reconcilers,
    auditRetentionDays,
  };
  const work = recurringWork({ ...parts, ...around, ...more });
  return { parts, readiness, work, pulse, loads, policies };
}

/** Runs every step, in this order, even where one fails. */
async function runAll(log: Logger, ifOneFails: string, steps: readonly (() => Promise<void>)[]): Promise<void> {
  for (const step of steps) await step().catch((err: unknown) => log.warn({ err }, ifOneFails));
}
