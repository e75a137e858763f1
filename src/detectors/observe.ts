/** Notices: a few additions in memory for each thing that happens, and nothing else on anybody's way. */
import { hash } from 'node:crypto';
import type { Observer } from './observer.js';
import { isId } from '../domain/id.js';
import type { Selector } from '../domain/selector.js';
import type { Clock } from '../domain/time.js';
import type { Canaries } from './canaries.js';
import { isDenial, isOutOfScope } from './denial.js';
import { minuteOf } from './spike.js';
import type { Tallies } from './tallies.js';

interface ObserverSetup {
  tallies: Tallies;
  canaries: Pick<Canaries, 'find'>;
  clock: Clock;
}

/** Of one credential, until the store knows: whoever makes up places fills nothing. */
const PLACES_MOST = 100;
const PLACE_CHARACTERS = 11;

export function createObserver({ tallies, canaries, clock }: ObserverSetup): Observer {
  return {
    granted({ task, opened }) {
      const now = clock.now();
      tallies.of('mint-spike', [workload(task.workload.id)], now, minuteOf(now)).count += 1;
      // A task that was just born has no past.
      if (opened) return;
      const run = tallies.of('out-of-scope', [{ kind: 'task', value: task.id }, workload(task.workload.id)], now);
      run.count = 0;
      run.restarted = true;
    },
    refused(caller, error, task) {
      if (caller.kind !== 'workload' || !isDenial(error)) return;
      const now = clock.now();
      tallies.of('denial-burst', [workload(caller.id)], now).count += 1;
      if (task === undefined || !isId('tsk', task) || !isOutOfScope(error)) return;
      // Task and workload together: who names somebody else's task adds nothing to that one's, and nothing comes of it.
      tallies.of('out-of-scope', [{ kind: 'task', value: task }, workload(caller.id)], now).count += 1;
    },
    lockedOut({ kind, id }) {
      const who: Selector = { kind: kind === 'workload' ? 'workload' : 'principal', value: id };
      tallies.of('ended-identity', [who], clock.now()).count += 1;
    },
    deadUse(credential) {
      tallies.of('use-after-end', [{ kind: 'credential', value: credential }], clock.now()).count += 1;
    },
    presented(credential, from) {
      const noted = tallies.of('many-places', [{ kind: 'credential', value: credential }], clock.now());
      noted.count += 1;
      if (noted.places.size < PLACES_MOST) noted.places.add(placeHash(credential, from));
    },
    unverified(token) {
      const found = canaries.find(token);
      if (found !== undefined) tallies.ofSubject('canary-used', found, clock.now()).count += 1;
    },
  };
}

const workload = (value: string): Selector => ({ kind: 'workload', value });

/** With the credential in it: nobody can tell from two of them that they were at the same place. */
const placeHash = (credential: string, from: string): string =>
  hash('sha256', `${credential}\n${from}`, 'base64url').slice(0, PLACE_CHARACTERS);
