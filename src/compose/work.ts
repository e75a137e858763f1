/** The recurring work of a broker, each piece safe to run twice and on every broker at once. */
import type { AuditLog } from '../audit/log.js';
import type { Detectors } from '../detectors/detectors.js';
import type { Clock } from '../domain/time.js';
import type { Fitness } from '../health/fitness.js';
import type { Keys } from '../keys/keys.js';
import { countReceipts, followReceipts } from '../ledger/follow-receipts.js';
import type { Ledger } from '../ledger/ledger.js';
import { pruneReceipts } from '../ledger/receipts.js';
import { countUnder } from '../ledger/tasks-under.js';
import type { Notifier } from '../notify/notifier.js';
import type { Pulse, Readiness } from '../health/readiness.js';
import { forget } from '../ledger/forget.js';
import { giveUpLost } from '../credentials/expire-reservations.js';
import { liftDueHolds } from '../revocation/receipts.js';
import type { Reconciler } from '../enforcement/reconcile.js';
import { sweep } from '../tasks/sweep.js';
import type { Store } from '../store/store.js';
import type { Signals } from './signals.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';

interface WorkDeps {
  ledger: Ledger;
  store: Pick<Store, 'health'>;
  audit: AuditLog;
  keys: Keys;
  fitness: Fitness;
  pulse: Pulse;
  metrics: Metrics;
  clock: Clock;
  log: Logger;
  readiness: Readiness;
  signals: Pick<Signals, 'catchUp' | 'prune'>;
  detectors: Pick<Detectors, 'run'>;
  notifier: Pick<Notifier, 'turn'>;
  auditRetentionDays: number;
  /** Present where targets must be told of deaths. */
  reconciler?: Reconciler;
}

export type Work = ReturnType<typeof upkeep> & ReturnType<typeof telling> & ReturnType<typeof hearing>;

const DAY_MS = 86_400_000;

export const recurringWork = (deps: WorkDeps): Work => ({
  ...upkeep(deps),
  ...telling(deps),
  ...hearing(deps),
});

/** Targets are told of deaths; without such targets there is nothing to do. */
export const telling = ({ ledger, fitness, reconciler }: Pick<WorkDeps, 'ledger' | 'fitness' | 'reconciler'>) => ({
  async reconcile() {
    if (!reconciler) return;
    const isClockBelieved = fitness.maySweep();
    // Whatever stands in the way of the one must not stop the other.
    const given = isClockBelieved ? giveUpLost(ledger) : Promise.resolve();
    const [gaveUp] = await Promise.allSettled([given]);
    await reconciler.run(isClockBelieved ? fitness.surelyPast() : 0);
    if (gaveUp.status === 'rejected') throw gaveUp.reason;
  },

  async drift() {
    await reconciler?.check();
  },
});

/** What was heard and noticed, what comes of it, and who is told. */
const hearing = (deps: Pick<WorkDeps, 'signals' | 'detectors' | 'notifier'>) => ({
  async signals() {
    await deps.signals.catchUp();
  },

  async detectors() {
    await deps.detectors.run();
  },

  async notify() {
    await deps.notifier.turn();
  },
});

const upkeep = ({ ledger, audit, fitness, metrics, clock, log, pulse, ...deps }: WorkDeps) => ({
  /** Asks all conditions: what it finds decides minting until the next time, and is what the metrics say. */
  async fitness() {
    await deps.readiness();
  },

  /** Never by a clock that nobody vouches for. */
  async sweep() {
    if (!fitness.maySweep()) return;
    const { lagMs, unreadable } = await sweep(ledger);
    pulse.swept = { at: clock.now(), lagMs };
    metrics.sweepLag(lagMs / 1000);
    if (unreadable.length > 0) log.error({ err: unreadable[0], count: unreadable.length }, 'tasks cannot be read');
  },

  async receipts() {
    try {
      if (fitness.maySweep()) await liftDueHolds(ledger);
      else await followReceipts(ledger);
    } finally {
      await countReceipts(ledger);
    }
  },

  async audit() {
    try {
      await audit.catchUp();
      pulse.auditFollows = true;
    } catch (error) {
      pulse.auditFollows = false;
      throw error;
    }
  },

  async keys() {
    for (const step of await deps.keys.refresh()) {
      await audit.append({ type: 'keys.rotated', at: clock.now(), reason: step });
    }
  },

  async counts() {
    metrics.tasksOpen(await countUnder(ledger, { kind: 'all', value: '' }));
  },

  async forget() {
    const { clock: storeClock } = await deps.store.health();
    if (!fitness.maySweep()) return;
    await forget(ledger, Math.min(storeClock, fitness.surelyPast()));
    await pruneReceipts(ledger);
    await deps.signals.prune();
  },

  async prune() {
    if (fitness.maySweep()) await audit.prune(fitness.surelyPast() - deps.auditRetentionDays * DAY_MS);
  },
});
