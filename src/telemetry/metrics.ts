/** What is counted and timed. One function for each thing that happens, so that labels stay few and are never free text. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { BrokerErrorCode } from '../domain/errors.js';
import type { Effect, SelectorKind } from '../domain/selector.js';
import type { Clock } from '../domain/time.js';
import { countLive } from './count-live.js';
import { METRICS } from './metric-names.js';

/** Stops the timer. */
type Stop = () => void;

export interface Metrics {
  exchanged(result: 'granted' | 'refused' | 'failed'): void;
  /** `endpoint`: a path of the route table, never the path that was asked for. */
  refused(code: BrokerErrorCode, endpoint: string): void;
  identityRefused(reason: string): void;
  /** A credential was released that expires then (milliseconds). */
  minted(expiresAt: number): void;
  tasksOpen(count: number): void;
  sweepLag(seconds: number): void;
  revoked(selector: SelectorKind, effect: Effect | 'lift'): void;
  generationChanged(): void;
  /** `source`: the name of a transmitter, `json` or `detector`. */
  signal(source: string, event: string, put: 'new' | 'again'): void;
  signalJudged(reaction: string, state: string, seconds: number): void;
  /** Something was noticed of a subject, and forgotten before the store knew. */
  detectorDropped(): void;
  awsTrouble(what: string): void;
  targetPushed(target: string, result: 'written' | 'failed' | 'drifted', now?: { denials: number; fill: number }): void;
  targetSyncFailing(target: string, seconds: number): void;
  notified(webhook: string, result: 'delivered' | 'failed' | 'dead'): void;
  webhookLag(webhook: string, seconds: number): void;
  auditWaiting(count: number): void;
  ready(check: string, holds: boolean): void;
  timeStore(operation: string): Stop;
  timePolicy(): Stop;
  timeAuditAppend(): Stop;
  timeHttp(endpoint: string): (status: number) => void;
  /** The text of `/metrics`. */
  exposition(): Promise<{ contentType: string; body: string }>;
}

/** Each metric can have this many values in a label; one more, and all further ones are `other`. */
const LABEL_VALUES_MAX = 64;
const FAST = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
const SLOW = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(clock: Clock): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    ...events(registry),
    ...states(registry, clock),
    ...targets(registry),
    ...signals(registry),
    ...webhooks(registry),
    ...timers(registry),
    exposition: exposition(registry),
  };
}

function events(registry: Registry) {
  const exchanges = new Counter(describe(registry, 'exchanges'));
  const refusals = new Counter(describe(registry, 'refusals'));
  const proofs = new Counter(describe(registry, 'identityRefused'));
  const revocations = new Counter(describe(registry, 'revocations'));
  const generations = new Counter(describe(registry, 'generationChanges'));
  const [endpoints, reasons] = [few(), few()];
  return {
    exchanged: (result) => exchanges.inc({ result }),
    refused: (code, endpoint) => refusals.inc({ code, endpoint: endpoints(endpoint) }),
    identityRefused: (reason) => proofs.inc({ reason: reasons(reason) }),
    revoked: (selector, effect) => revocations.inc({ selector, effect }),
    generationChanged: () => generations.inc(),
  } satisfies Partial<Metrics>;
}

function states(registry: Registry, clock: Clock) {
  const live = countLive(clock);
  const tasks = new Gauge(describe(registry, 'tasksOpen'));
  const lag = new Gauge(describe(registry, 'sweepLag'));
  const waiting = new Gauge(describe(registry, 'auditWaiting'));
  const readiness = new Gauge(describe(registry, 'readiness'));
  const checks = few();
  new Gauge({
    ...describe(registry, 'credentialsLive'),
    collect() {
      this.set(live.count());
    },
  });
  return {
    minted: (expiresAt) => live.add(expiresAt),
    tasksOpen: (count) => tasks.set(count),
    sweepLag: (seconds) => lag.set(seconds),
    auditWaiting: (count) => waiting.set(count),
    ready: (check, holds) => readiness.set({ check: checks(check) }, holds ? 1 : 0),
  } satisfies Partial<Metrics>;
}

function signals(registry: Registry) {
  const taken = new Counter(describe(registry, 'signals'));
  const judged = new Counter(describe(registry, 'signalsJudged'));
  const seconds = new Histogram({ ...describe(registry, 'signalSeconds'), buckets: SLOW });
  const dropped = new Counter(describe(registry, 'detectorDropped'));
  return {
    signal: (source, event, put) => taken.inc({ source, event, put }),
    signalJudged(reaction, state, took) {
      judged.inc({ reaction, state });
      seconds.observe(took);
    },
    detectorDropped: () => dropped.inc(),
  } satisfies Partial<Metrics>;
}

/** Their names come from the configuration. */
function webhooks(registry: Registry) {
  const deliveries = new Counter(describe(registry, 'webhookDeliveries'));
  const lag = new Gauge(describe(registry, 'webhookLag'));
  return {
    notified: (webhook, result) => deliveries.inc({ webhook, result }),
    webhookLag: (webhook, seconds) => lag.set({ webhook }, seconds),
  } satisfies Partial<Metrics>;
}

/** Theirs too. */
function targets(registry: Registry) {
  const trouble = new Counter(describe(registry, 'awsTrouble'));
  const writes = new Counter(describe(registry, 'targetWrites'));
  const denials = new Gauge(describe(registry, 'targetDenials'));
  const fill = new Gauge(describe(registry, 'targetFill'));
  const failing = new Gauge(describe(registry, 'targetSyncFailing'));
  return {
    awsTrouble: (what) => trouble.inc({ what }),
    targetPushed(target, result, now) {
      writes.inc({ target, result });
      if (!now) return;
      denials.set({ target }, now.denials);
      fill.set({ target }, now.fill);
    },
    targetSyncFailing: (target, seconds) => failing.set({ target }, seconds),
  } satisfies Partial<Metrics>;
}

function timers(registry: Registry) {
  const store = new Histogram({ ...describe(registry, 'store'), buckets: FAST });
  const policy = new Histogram({ ...describe(registry, 'policy'), buckets: FAST });
  const append = new Histogram({ ...describe(registry, 'auditAppend'), buckets: FAST });
  const http = new Histogram({ ...describe(registry, 'http'), buckets: SLOW });
  const [operations, endpoints] = [few(), few()];
  return {
    timeStore: (operation) => stop(store.startTimer({ operation: operations(operation) })),
    timePolicy: () => stop(policy.startTimer()),
    timeAuditAppend: () => stop(append.startTimer()),
    timeHttp: (endpoint) => {
      const end = http.startTimer({ endpoint: endpoints(endpoint) });
      return (status) => void end({ status });
    },
  } satisfies Partial<Metrics>;
}

const stop =
  (end: () => number): Stop =>
  () =>
    void end();

const exposition = (registry: Registry) => async () => ({
  contentType: registry.contentType,
  body: await registry.metrics(),
});

function describe<N extends keyof typeof METRICS>(registry: Registry, metric: N) {
  const { name, help, labels } = METRICS[metric];
  return { name, help, labelNames: labels as readonly (typeof METRICS)[N]['labels'][number][], registers: [registry] };
}

/** A label grows a time series for each value it ever had: what is not from a fixed set must not be able to fill memory. */
function few(): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.size < LABEL_VALUES_MAX) known.add(value);
    return known.has(value) ? value : 'other';
  };
}
