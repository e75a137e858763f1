/**
 * The recurring jobs of a broker: how often each runs, and what it does. Each is safe to run twice, and on every broker at
 * once.
 */
import { announceLate } from '../approvals/announce.js';
import type { RationedAuditLog } from '../audit/ration.js';
import { expireReservations } from '../credentials/expire-reservations.js';
import type { Detectors } from '../detectors/detectors.js';
import { EVERYTHING } from '../domain/selector.js';
import { DAY_MS, MINUTE_MS, type Clock } from '../domain/time.js';
import type { Reconciler } from '../enforcement/reconcile.js';
import type { Feed } from '../feed/feed.js';
import type { Fitness } from '../health/fitness.js';
import type { Pulse, Readiness } from '../health/readiness.js';
import type { Keys } from '../keys/keys.js';
import { countReceipts, followReceipts } from '../ledger/follow-receipts.js';
import { forgetLapsed, waitingApprovals, openReviews } from '../ledger/approvals.js';
import { forget } from '../ledger/forget.js';
import type { Ledger } from '../ledger/ledger.js';
import { pruneReceipts } from '../ledger/receipts.js';
import { countTasksUnder } from '../ledger/tasks-under.js';
import { forgetTrees } from '../ledger/trees.js';
import { forgetWorkloads } from '../ledger/workloads.js';
import type { Notifier } from '../notify/notifier.js';
import { liftDueHolds } from '../revocation/receipts.js';
import type { SignalQueue } from '../signals/signal-queue.js';
import type { Store } from '../store/store.js';
import { sweep } from '../tasks/sweep.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { RequestLog } from '../telemetry/request-log.js';
import type { PolicyLoads } from './policy-loads.js';
import type { PolicyWatch } from './policy-watch.js';
import type { IssuerWatch } from './watch-issuers.js';
import type { Timing } from './schedule.js';

interface WorkDeps {
  ledger: Ledger;
  feed: Pick<Feed, 'beat'>;
  store: Pick<Store, 'health'>;
  audit: RationedAuditLog;
  requests: Pick<RequestLog, 'endMinute'>;
  loads: Pick<PolicyLoads, 'catchUp'>;
  policies: Pick<PolicyWatch, 'look' | 'compare'>;
  keys: Keys;
  fitness: Fitness;
  issuers: IssuerWatch;
  pulse: Pulse;
  metrics: Metrics;
  clock: Clock;
  log: Logger;
  readiness: Readiness;
  signals: Pick<SignalQueue, 'catchUp' | 'prune'>;
  detectors: Pick<Detectors, 'run'>;
  notifier: Pick<Notifier, 'turn'>;
  auditRetentionDays: number;
  /** One for each kind of target that revocations must be pushed to. */
  reconcilers: readonly Reconciler[];
}

interface Job extends Timing {
  run(deps: WorkDeps): Promise<void>;
}

const SECOND_MS = 1_000;

/**
 * Every job that ends or forgets something by the time of day asks `fitness.maySweep()` first: whether the clock can be
 * trusted.
 */
export const JOBS = {
  /** Checks all conditions. The result decides about minting until the next run, and is what the metrics show. */
  fitness: {
    everyMs: SECOND_MS,
    async run({ readiness }) {
      await readiness();
    },
  },

  /** Looks although nobody asks: a lost log is noticed, and what other brokers published is kept outside the store. */
  log: {
    everyMs: SECOND_MS,
    async run({ ledger }) {
      await ledger.log.look([]);
    },
  },

  /** Looks for all who follow the feed: they hear of it, and one that hears nothing for seconds refuses everything. */
  feed: { everyMs: SECOND_MS, run: ({ feed }) => feed.beat() },

  sweep: {
    everyMs: SECOND_MS,
    async run({ ledger, fitness, pulse, metrics, clock, log }) {
      if (!fitness.maySweep()) return;
      const { lagMs, unreadable } = await sweep(ledger);
      pulse.swept = { at: clock.unchecked(), lagMs };
      metrics.sweepLag(lagMs / 1000);
      if (unreadable.length > 0) log.error({ err: unreadable[0], count: unreadable.length }, 'tasks cannot be read');
    },
  },

  receipts: {
    everyMs: SECOND_MS,
    async run({ ledger, fitness }) {
      try {
        if (fitness.maySweep()) await liftDueHolds(ledger);
        else await followReceipts(ledger);
      } finally {
        await countReceipts(ledger);
      }
    },
  },

  reconcile: { everyMs: SECOND_MS, run: reconcileTargets },

  /** Compares what targets have with what they were given: somebody else may have changed it. */
  drift: { everyMs: 30 * SECOND_MS, run: ({ reconcilers }) => onEach(reconcilers, (reconciler) => reconciler.check()) },

  signals: { everyMs: SECOND_MS, run: ({ signals }) => signals.catchUp() },

  detectors: { everyMs: SECOND_MS, run: ({ detectors }) => detectors.run() },

  audit: {
    everyMs: SECOND_MS,
    async run({ audit, loads, pulse }) {
      try {
        await loads.catchUp();
        await audit.catchUp();
        pulse.auditFollows = true;
      } catch (error) {
        pulse.auditFollows = false;
        throw error;
      }
    },
  },

  policies: { everyMs: 2 * SECOND_MS, run: ({ policies }) => policies.look() },

  deciding: { everyMs: 10 * SECOND_MS, run: ({ policies }) => policies.compare() },

  /** Tells people of what a broker asked that died before it could. */
  questions: {
    everyMs: 10 * SECOND_MS,
    async run({ ledger, audit, fitness }) {
      if (fitness.maySweep()) await announceLate({ ledger, audit });
    },
  },

  /** Says how often callers were refused beyond what was entered whole, and how many requests got no line in the log. */
  refusals: {
    everyMs: MINUTE_MS,
    run({ audit, requests }) {
      requests.endMinute();
      return audit.enterCounts();
    },
  },

  /** The notifier starts no second turn of a webhook, and one webhook that hangs must not keep the others from theirs. */
  notify: { everyMs: SECOND_MS, overlaps: true, run: ({ notifier }) => notifier.turn() },

  issuers: { everyMs: 10 * SECOND_MS, run: ({ issuers }) => issuers.look() },

  keys: {
    everyMs: 10 * SECOND_MS,
    async run({ keys, audit, clock }) {
      for (const step of await keys.refresh()) {
        await audit.append({ type: 'keys.rotated', at: clock.unchecked(), reason: step });
      }
    },
  },

  counts: {
    everyMs: 10 * SECOND_MS,
    async run({ ledger, metrics }) {
      metrics.tasksOpen(await countTasksUnder(ledger, EVERYTHING));
      const [reviews, questions] = await Promise.all([openReviews(ledger), waitingApprovals(ledger)]);
      const now = ledger.clock.unchecked();
      const ageOf = ({ oldest = now }: { oldest?: number }) => Math.max(0, now - oldest) / 1000;
      metrics.reviewsOpen(reviews.count);
      metrics.reviewAge(ageOf(reviews));
      metrics.approvalsWaiting(questions.count);
      metrics.approvalAge(ageOf(questions));
    },
  },

  forget: {
    everyMs: MINUTE_MS,
    async run({ ledger, store, fitness, signals, metrics }) {
      const { clock: storeClock } = await store.health();
      if (!fitness.maySweep()) return;
      const past = Math.min(storeClock, fitness.surelyPast());
      await forget(ledger, past);
      await forgetTrees(ledger, past);
      await forgetWorkloads(ledger, past);
      metrics.approvalQuestion('lapsed', await forgetLapsed(ledger, past));
      await pruneReceipts(ledger);
      await signals.prune();
    },
  },

  prune: {
    everyMs: 10 * MINUTE_MS,
    async run({ audit, fitness, auditRetentionDays }) {
      if (fitness.maySweep()) await audit.prune(fitness.surelyPast() - auditRetentionDays * DAY_MS);
    },
  },
} satisfies Record<string, Job>;

type JobName = keyof typeof JOBS;
/** Runs one job once. */
export type Work = (job: JobName) => Promise<void>;

export const recurringWork =
  (deps: WorkDeps): Work =>
  (job) =>
    JOBS[job].run(deps);

/** Pushes revocations to targets. Without such targets there is nothing to do. */
export async function reconcileTargets({
  ledger,
  fitness,
  reconcilers,
}: Pick<WorkDeps, 'ledger' | 'fitness' | 'reconcilers'>): Promise<void> {
  if (reconcilers.length === 0) return;
  const isClockTrusted = fitness.maySweep();
  // A failure to expire reservations must not stop the push.
  const [expired] = await Promise.allSettled([isClockTrusted ? expireReservations(ledger) : Promise.resolve()]);
  await onEach(reconcilers, (reconciler) => reconciler.run(isClockTrusted ? fitness.surelyPast() : 0));
  if (expired.status === 'rejected') throw expired.reason;
}

async function onEach(
  reconcilers: readonly Reconciler[],
  act: (reconciler: Reconciler) => Promise<void>,
): Promise<void> {
  await Promise.all(reconcilers.map(act));
}
