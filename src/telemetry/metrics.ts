/** The metrics. There is one function for each thing that happens, so that labels are few and never free text. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ApprovalAnswer } from '../domain/approval.js';
import type { BrokerErrorCode } from '../domain/errors.js';
import type { PolicySilence } from '../domain/policy-outcome.js';
import type { Effect, SelectorKind } from '../domain/selector.js';
import type { SystemClock } from '../domain/time.js';
import type { FeedEnd } from '../protocol/feed.js';
import { packageVersion } from '../config/package-file.js';
import { countLive } from './count-live.js';
import { beginAtZero, factories, type Factories } from './factories.js';

/** Takes how long something took, in seconds. */
export type Took = (seconds: number) => void;

export interface Metrics {
  /**
   * Names the values that a label can have, as far as the start of the broker knows them: counters under these begin at 0, so
   * that the first event is an increase.
   */
  expect(label: 'endpoint' | 'what' | 'target' | 'source' | 'reaction' | 'webhook', values: readonly string[]): void;
  exchanged(result: 'granted' | 'refused' | 'failed'): void;
  /** @param endpoint A path of the route table, never the path that was requested. */
  refused(code: BrokerErrorCode, endpoint: string): void;
  identityRefused(reason: string): void;
  /** Counts a released credential. @param expiresAt In milliseconds. */
  minted(expiresAt: number): void;
  tasksOpen(count: number): void;
  sweepLag(seconds: number): void;
  revoked(selector: SelectorKind, effect: Effect | 'lift'): void;
  generationChanged(): void;
  /** @param source The name of a transmitter, `json` or `detector`. */
  signal(source: string, event: string, put: 'new' | 'again'): void;
  signalEvaluated(reaction: string, state: string, seconds: number): void;
  approvalAnswered(says: ApprovalAnswer['says']): void;
  approvalQuestion(event: 'requested' | 'cancelled' | 'lapsed', count?: number): void;
  approvalsWaiting(count: number): void;
  approvalAge(seconds: number): void;
  reviewsOpen(count: number): void;
  reviewAge(seconds: number): void;
  /** Counts a subject that a detector forgot before it was written to the store. */
  detectorDropped(): void;
  feedFollowers: (count: number) => void;
  feedWaiting: (count: number) => void;
  /** @param reason `stuck`: its connection took nothing more. `left`: the verifier ended it. */
  feedEnded: (reason: FeedEnd | 'left' | 'stuck') => void;
  /** @param seconds From the publication of a revocation until the verifier denied. */
  knownBy: (verifier: string, seconds: number) => void;
  minterWarning(what: string): void;
  targetPushed(target: string, result: 'written' | 'failed' | 'drifted', now?: { denials: number; fill: number }): void;
  targetSyncFailing(target: string, seconds: number): void;
  /** Another broker writes to the target now: this one no longer knows what it denies, and says nothing of it. */
  targetLeft(target: string): void;
  notified(webhook: string, result: 'delivered' | 'failed' | 'dead'): void;
  webhookLag(webhook: string, seconds: number): void;
  auditWaiting(count: number): void;
  ready(check: string, holds: boolean): void;
  /** Returns what takes the durations of an operation. */
  storeTook(operation: string): Took;
  policyTook: Took;
  policyEvaluated(): void;
  policyUnanswered(reason: PolicySilence): void;
  policyTried(result: 'same' | 'other' | 'dropped' | 'failed'): void;
  policyInForce(digest: string): void;
  /** @param count How many different sets brokers on the store decide by. */
  policySets(count: number): void;
  auditAppendTook: Took;
  httpTook(endpoint: string, status: number, seconds: number): void;
  /** Returns the text of `/metrics`. */
  exposition(): Promise<{ contentType: string; body: string }>;
}

/** A label that callers can influence has at most this many values; every further value is counted as `other`. */
const LABEL_VALUES_MAX = 64;
const FAST = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
const SLOW = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(clock: SystemClock): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const make = factories(registry);
  make.gauge('build').set({ version: packageVersion(), node: process.version }, 1);
  const metrics = {
    ...events(make),
    ...states(make, clock),
    ...targets(make),
    ...signals(make),
    ...approvals(make),
    ...webhooks(make),
    ...feed(make),
    ...timers(make),
    ...policy(make),
    exposition: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
  make.counters.forEach((made) => beginAtZero(made));
  return {
    ...metrics,
    expect: (label, values) =>
      make.counters.forEach((made) => {
        if (label in made.labels) beginAtZero({ ...made, labels: { ...made.labels, [label]: values } });
      }),
  };
}

function events({ counter }: Factories) {
  const exchanges = counter('exchanges');
  const refusals = counter('refusals');
  const proofs = counter('identityRefused');
  const revocations = counter('revocations');
  const generations = counter('generationChanges');
  const [endpoint, reason] = [boundedLabel(), boundedLabel()];
  return {
    exchanged: (result) => exchanges.inc({ result }),
    refused: (code, path) => refusals.inc({ code, endpoint: endpoint(path) }),
    identityRefused: (why) => proofs.inc({ reason: reason(why) }),
    revoked: (selector, effect) => revocations.inc({ selector, effect }),
    generationChanged: () => generations.inc(),
  } satisfies Partial<Metrics>;
}

function states({ gauge, computedGauge }: Factories, clock: SystemClock) {
  const live = countLive(clock);
  computedGauge('credentialsLive', () => live.count());
  const tasks = gauge('tasksOpen');
  const lag = gauge('sweepLag');
  let waiting = 0;
  computedGauge('auditWaiting', () => waiting);
  const readiness = gauge('readiness');
  const check = boundedLabel();
  return {
    minted: (expiresAt) => live.add(expiresAt),
    tasksOpen: (count) => tasks.set(count),
    sweepLag: (seconds) => lag.set(seconds),
    auditWaiting(count) {
      waiting = count;
    },
    ready: (name, holds) => readiness.set({ check: check(name) }, holds ? 1 : 0),
  } satisfies Partial<Metrics>;
}

function signals({ counter, histogram }: Factories) {
  const taken = counter('signals');
  const evaluated = counter('signalsEvaluated');
  const seconds = histogram('signalSeconds', SLOW);
  const dropped = counter('detectorDropped');
  return {
    signal: (source, event, put) => taken.inc({ source, event, put }),
    signalEvaluated(reaction, state, took) {
      evaluated.inc({ reaction, state });
      seconds.observe(took);
    },
    detectorDropped: () => dropped.inc(),
  } satisfies Partial<Metrics>;
}

function feed({ counter, gauge, histogram }: Factories) {
  const seconds = histogram('timeToDeny', SLOW);
  const verifier = boundedLabel();
  const followers = gauge('feedFollowers');
  const waiting = gauge('feedWaiting');
  const ends = counter('feedEnds');
  return {
    feedFollowers: (count) => followers.set(count),
    feedWaiting: (count) => waiting.set(count),
    knownBy: (name, took) => seconds.observe({ verifier: verifier(name) }, took),
    feedEnded: (reason) => ends.inc({ reason }),
  } satisfies Partial<Metrics>;
}

function approvals({ counter, gauge }: Factories) {
  const [answers, open, age] = [counter('approvalAnswers'), gauge('reviewsOpen'), gauge('reviewAge')];
  const [questions, waiting, oldest] = [counter('approvalQuestions'), gauge('approvalsWaiting'), gauge('approvalAge')];
  return {
    approvalAnswered: (says) => answers.inc({ says }),
    approvalQuestion: (event, count = 1) => questions.inc({ event }, count),
    approvalsWaiting: (count) => waiting.set(count),
    approvalAge: (seconds) => oldest.set(seconds),
    reviewsOpen: (count) => open.set(count),
    reviewAge: (seconds) => age.set(seconds),
  } satisfies Partial<Metrics>;
}

/** The labels are names of webhooks in the configuration, so there are few. */
function webhooks({ counter, gauge }: Factories) {
  const deliveries = counter('webhookDeliveries');
  const lag = gauge('webhookLag');
  return {
    notified: (webhook, result) => deliveries.inc({ webhook, result }),
    webhookLag: (webhook, seconds) => lag.set({ webhook }, seconds),
  } satisfies Partial<Metrics>;
}

/** The labels are targets in the configuration, so there are few. */
function targets({ counter, gauge }: Factories) {
  const warnings = counter('minterWarning');
  const writes = counter('targetWrites');
  const denials = gauge('targetDenials');
  const fill = gauge('targetFill');
  const failing = gauge('targetSyncFailing');
  return {
    minterWarning: (what) => warnings.inc({ what }),
    targetPushed(target, result, now) {
      writes.inc({ target, result });
      if (!now) return;
      denials.set({ target }, now.denials);
      fill.set({ target }, now.fill);
    },
    targetSyncFailing: (target, seconds) => failing.set({ target }, seconds),
    targetLeft(target) {
      denials.remove({ target });
      fill.remove({ target });
      failing.set({ target }, 0);
    },
  } satisfies Partial<Metrics>;
}

function policy({ counter, gauge, histogram }: Factories) {
  const seconds = histogram('policy', FAST);
  const evaluations = counter('policyEvaluations');
  const unanswered = counter('policyUnanswered');
  const trial = counter('policyTrial');
  const inForce = gauge('policyInForce');
  const sets = gauge('policySets');
  return {
    policyTook: (took) => seconds.observe(took),
    policyEvaluated: () => evaluations.inc(),
    policyUnanswered: (reason) => unanswered.inc({ reason }),
    policyTried: (result) => trial.inc({ result }),
    policyInForce(digest) {
      inForce.reset();
      inForce.set({ digest }, 1);
    },
    policySets: (count) => sets.set(count),
  } satisfies Partial<Metrics>;
}

function timers({ histogram }: Factories) {
  const store = histogram('store', FAST);
  const append = histogram('auditAppend', FAST);
  const http = histogram('http', SLOW);
  const [operation, endpoint] = [boundedLabel(), boundedLabel()];
  return {
    storeTook(name) {
      const series = store.labels({ operation: operation(name) });
      return (seconds) => series.observe(seconds);
    },
    auditAppendTook: (seconds) => append.observe(seconds),
    httpTook: (path, status, seconds) => http.observe({ endpoint: endpoint(path), status }, seconds),
  } satisfies Partial<Metrics>;
}

/**
 * Returns a function that returns a label's value, or `other` once it has had LABEL_VALUES_MAX values. Each value is a time series that stays in
 * memory, so whoever chooses the values could fill it.
 */
function boundedLabel(): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.size < LABEL_VALUES_MAX) known.add(value);
    return known.has(value) ? value : 'other';
  };
}
