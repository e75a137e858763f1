/** The detectors of one broker: the observer that use cases call, and the recurring job that writes to the store. */
import type { SignalsConfig } from '../config/signals-schema.js';
import type { DetectorEvent } from '../domain/signal.js';
import type { Metrics } from '../telemetry/metrics.js';
import { burst } from './burst.js';
import { createCanaries } from './canaries.js';
import { flushTallies } from './flush.js';
import { createObserver } from './observe.js';
import type { Observer } from './observer.js';
import { places } from './places.js';
import { createPool } from './pool.js';
import { createRaise, type RaiseDeps } from './raise.js';
import type { Rule } from './rule.js';
import { isDue, spike } from './spike.js';
import { createTallies } from './tallies.js';

export interface Detectors {
  observer: Observer;
  /** Writes tallies to the store, and raises a signal for each finding. */
  run(): Promise<void>;
}

interface DetectorsSetup extends RaiseDeps {
  metrics: Pick<Metrics, 'signal' | 'detectorDropped'>;
}

const SUBJECTS_MOST = 10_000;
/** How many tallies one run writes, so that a run has an end. */
const FLUSHED_MOST = 2_000;

export function openDetectors(setup: DetectorsSetup): Detectors {
  const { ledger, detectors, metrics } = setup;
  const tallies = createTallies(SUBJECTS_MOST, () => metrics.detectorDropped());
  const canaries = createCanaries(ledger);
  const deps = {
    ledger,
    rules: rulesOf(detectors),
    pool: createPool(ledger),
    raise: createRaise(setup),
  };
  return {
    observer: createObserver({ tallies, canaries, clock: ledger.clock }),
    async run() {
      const now = ledger.clock.unchecked();
      const due = tallies.take(
        (tally) => tally.event !== 'mint-spike' || isDue(tally, now, detectors.mintSpike),
        FLUSHED_MOST,
      );
      await Promise.all([flushTallies(deps, due, tallies), canaries.refresh()]);
    },
  };
}

/** One use of a canary is an alarm. Further uses within this time belong to the same alarm. */
const EVERY_CANARY = { threshold: 1, withinSeconds: 600 };

const rulesOf = (detectors: SignalsConfig['detectors']): Record<DetectorEvent, Rule> => ({
  'use-after-end': burst(detectors.useAfterEnd),
  // Each broker counts refusals since the last grant it knows of; a restarted tally restarts the stored count too.
  'out-of-scope': burst(detectors.outOfScope),
  'denial-burst': burst(detectors.denialBurst),
  'mint-spike': spikeOf(detectors.mintSpike),
  'many-places': places(detectors.manyPlaces),
  'ended-identity': burst(detectors.endedIdentity),
  'canary-used': burst(EVERY_CANARY),
});

/** What is granted to somebody who presents a credential is measured by `atLeast` alone: no credential lives long enough to have a usual. */
function spikeOf(bounds: SignalsConfig['detectors']['mintSpike']): Rule {
  const [usual, ofCredential] = [spike(bounds), burst({ threshold: bounds.atLeast, withinSeconds: 60 })];
  return (stored, tally, now) => (tally.charge.kind === 'credential' ? ofCredential : usual)(stored, tally, now);
}
