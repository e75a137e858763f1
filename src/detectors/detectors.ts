/** The detectors of one broker: what use cases tell them, and the turn at which they tell the store. */
import type { Observer } from './observer.js';
import type { Metrics } from '../telemetry/metrics.js';
import { createCanaries } from './canaries.js';
import { raise, type RaiseDeps } from './raise.js';
import type { Finding, Noted } from './rule.js';
import { rulesOf } from './rules.js';
import { mattersNow } from './spike.js';
import { createTallies } from './tallies.js';
import { tellStore } from './tell-store.js';
import { createObserver } from './observe.js';

export interface Detectors {
  observer: Observer;
  /** Tells the store what was noticed, and raises what is found. The schedule calls it. */
  run(): Promise<void>;
}

interface DetectorsSetup extends RaiseDeps {
  metrics: Pick<Metrics, 'signal' | 'detectorDropped'>;
}

const SUBJECTS_MOST = 10_000;
/** In one turn, so that a turn has an end. */
const TOLD_MOST = 2_000;

export function openDetectors(setup: DetectorsSetup): Detectors {
  const { ledger, detectors, metrics } = setup;
  const tallies = createTallies(SUBJECTS_MOST, () => metrics.detectorDropped());
  const canaries = createCanaries(ledger);
  const deps = {
    ledger,
    rules: rulesOf(detectors),
    raise: (noted: Noted, finding: Finding) => raise(setup, noted, finding),
  };
  return {
    observer: createObserver({ tallies, canaries, clock: ledger.clock }),
    async run() {
      const now = ledger.clock.now();
      const isDue = (noted: Noted) => noted.event !== 'mint-spike' || mattersNow(noted, now, detectors.mintSpike);
      await Promise.all([tellStore(deps, tallies.take(isDue, TOLD_MOST), tallies), canaries.refresh()]);
    },
  };
}
