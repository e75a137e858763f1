/** The observer: a few additions in memory for each event, and nothing else on the path of a request. */
import { sha256 } from '../domain/digest.js';
import type { BrokerError, BrokerErrorCode } from '../domain/errors.js';
import { isId } from '../domain/id.js';
import type { Selector } from '../domain/selector.js';
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
    granted({ task, opened }) {
      const now = clock.unchecked();
      tallies.of('mint-spike', [workload(task.workload.id)], now, minuteOf(now)).count += 1;
      // A task that was just opened has no refusals to forget.
      if (opened) return;
      const run = tallies.of('out-of-scope', [{ kind: 'task', value: task.id }, workload(task.workload.id)], now);
      run.count = 0;
      run.restarted = true;
    },
    refused(caller, error, task) {
      if (caller.kind !== 'workload' || !isDenial(error)) return;
      const now = clock.unchecked();
      tallies.of('denial-burst', [workload(caller.id)], now).count += 1;
      if (task === undefined || !isId('tsk', task) || !isOutOfScope(error)) return;
      // The subject is the task together with the caller: whoever names a task of somebody else adds nothing to its owner's
      // count.
      tallies.of('out-of-scope', [{ kind: 'task', value: task }, workload(caller.id)], now).count += 1;
    },
    lockedOut({ kind, id }) {
      const who: Selector = { kind: kind === 'workload' ? 'workload' : 'principal', value: id };
      tallies.of('ended-identity', [who], clock.unchecked()).count += 1;
    },
    deadUse(credential) {
      tallies.of('use-after-end', [{ kind: 'credential', value: credential }], clock.unchecked()).count += 1;
    },
    presented(credential, from) {
      const tally = tallies.of('many-places', [{ kind: 'credential', value: credential }], clock.unchecked());
      tally.count += 1;
      if (tally.places.size < PLACES_MOST) tally.places.add(placeHash(credential, from));
    },
    unverified(token) {
      const found = canaries.find(token);
      if (found !== undefined) tallies.ofSubject('canary-used', found, clock.unchecked()).count += 1;
    },
  };
}

const workload = (value: string): Selector => ({ kind: 'workload', value });

/**
 * Returns the hash of a place. The credential is part of the hash, so that two hashes do not show that two credentials were
 * at the same place.
 */
const placeHash = (credential: string, from: string): string =>
  sha256(`${credential}\n${from}`).slice(0, PLACE_CHARACTERS);

/** The refusals of a caller that asks for something that does not exist, belongs to another caller, or has ended. */
const DENIALS: ReadonlySet<BrokerErrorCode> = new Set([
  'invalid_scope',
  'invalid_authorization_details',
  'invalid_target',
  'invalid_grant',
  'not_found',
]);

/**
 * Returns whether a refusal shows that the caller wants what it may not have. Malformed requests, floods and outages do
 * not. Held and cut off callers have a detector of their own: a hold caused by this one would otherwise cause the next.
 */
export const isDenial = (error: BrokerError): boolean => deniedByPolicy(error) || DENIALS.has(error.code);

/** Returns whether the refused access lies beyond what the task may do. */
export const isOutOfScope = (error: BrokerError): boolean => deniedByPolicy(error) || error.code === 'invalid_scope';

const deniedByPolicy = ({ code, details }: BrokerError): boolean =>
  code === 'access_denied' && details.decision?.outcome === 'deny';
