/** The observer: a few additions in memory for each event, and nothing else on the path of a request. */
import { sha256 } from '../domain/digest.js';
import type { BrokerError, BrokerErrorCode } from '../domain/errors.js';
import type { Clock } from '../domain/time.js';
import type { Canaries } from './canaries.js';
import type { Observer } from './observer.js';
import { minuteOf } from './spike.js';
import type { Tallies } from './tallies.js';

interface ObserverSetup {
  tallies: Tallies;
  canaries: Pick<Canaries, 'find'>;
  clock: Clock;
}

/** Places of one credential that are kept until the next flush. The bound stops a caller that invents places. */
const PLACES_MOST = 100;
const PLACE_CHARACTERS = 11;

export function createObserver({ tallies, canaries, clock }: ObserverSetup): Observer {
  return {
    granted(to, { task, opened, again }) {
      const now = clock.unchecked();
      if (!again) tallies.of('mint-spike', to, now, minuteOf(now)).count += 1;
      // A task that was just opened has no refusals to forget.
      const underTask = { kind: 'task', id: task.id, of: task.workload } as const;
      for (const charge of [...(opened ? [] : [underTask]), ...(to.kind === 'credential' ? [to] : [])])
        Object.assign(tallies.of('out-of-scope', charge, now), { count: 0, restarted: true });
    },
    refused(charges, error) {
      if (!isDenial(error)) return;
      for (const charge of charges) {
        if (charge.kind === 'party' && charge.of.kind !== 'workload') continue;
        const event = charge.kind === 'party' ? 'denial-burst' : 'out-of-scope';
        tallies.of(event, charge, clock.unchecked()).count += 1;
      }
    },
    lockedOut(proof) {
      tallies.of('ended-identity', proof, clock.unchecked()).count += 1;
    },
    deadUse(credential) {
      tallies.of('use-after-end', credential, clock.unchecked()).count += 1;
    },
    presented(credential, from) {
      const tally = tallies.of('many-places', credential, clock.unchecked());
      tally.count += 1;
      if (tally.places.size < PLACES_MOST) tally.places.add(placeHash(credential.id, from));
    },
    unverified(token, presentation) {
      const found = canaries.find(token);
      if (found === undefined) return;
      const tally = tallies.of('canary-used', { kind: 'canary', id: found }, clock.unchecked());
      tally.count += 1;
      tally.first ??= presentation;
    },
  };
}

/**
 * Returns the hash of a place. The credential is part of the hash, so that two hashes do not show that two credentials were
 * at the same place.
 */
const placeHash = (credential: string, from: string): string =>
  sha256(`${credential}\n${from}`).slice(0, PLACE_CHARACTERS);

/** The refusals of a caller that asks for access that does not exist, or lies beyond its task. */
const DENIALS: ReadonlySet<BrokerErrorCode> = new Set([
  'invalid_scope',
  'invalid_authorization_details',
  'invalid_target',
]);

/**
 * Returns whether a refusal shows that access was wanted that may not be had. Malformed requests, floods and outages do not, and
 * neither does what is not there or has ended: it was named by somebody, and ended by somebody. Held and cut off callers have a
 * detector of their own: a hold caused by this one would otherwise cause the next.
 */
export const isDenial = (error: BrokerError): boolean => deniedByPolicy(error) || DENIALS.has(error.code);

const deniedByPolicy = ({ code, details }: BrokerError): boolean =>
  code === 'access_denied' && details.decision?.outcome === 'deny';
