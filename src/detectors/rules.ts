/** Every detector, as configured. */
import type { SignalsConfig } from '../config/signals-schema.js';
import type { DetectorEvent } from '../domain/signal.js';
import { burst } from './burst.js';
import { places } from './places.js';
import type { Rule } from './rule.js';
import { spike } from './spike.js';

/** One use of a canary is an alarm; further ones within this time are the same alarm. */
const EVERY_CANARY = { threshold: 1, withinSeconds: 600 };

export const rulesOf = (detectors: SignalsConfig['detectors']): Record<DetectorEvent, Rule> => ({
  'use-after-end': burst(detectors.useAfterEnd),
  // Each broker tells of refusals since the last grant it knows of: what is restarted there is restarted here.
  'out-of-scope': burst(detectors.outOfScope),
  'denial-burst': burst(detectors.denialBurst),
  'mint-spike': spike(detectors.mintSpike),
  'many-places': places(detectors.manyPlaces),
  'ended-identity': burst(detectors.endedIdentity),
  'canary-used': burst(EVERY_CANARY),
});
