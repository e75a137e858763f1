/** Wraps a store to time its operations. */
import type { Store } from '../store/store.js';
import type { Metrics } from '../telemetry/metrics.js';
import { timed } from './instrument.js';

export function instrumentStore(store: Store, metrics: Pick<Metrics, 'storeTook'>): Store {
  const { records, log } = store;
  const timedAs = <A extends unknown[], R>(operation: string, call: (...input: A) => Promise<R>) =>
    timed(metrics.storeTook(operation), call);
  return {
    records: {
      read: timedAs('read', (keys) => records.read(keys)),
      commit: timedAs('commit', (change) => records.commit(change)),
      range: timedAs('range', (index, by) => records.range(index, by)),
      count: timedAs('count', (index, by) => records.count(index, by)),
    },
    log: {
      look: timedAs('look', (causes, known) => log.look(causes, known)),
      publish: timedAs('publish', (publication) => log.publish(publication)),
      entries: timedAs('entries', (after, limit) => log.entries(after, limit)),
      // It waits on purpose.
      awaitEntry: (after) => log.awaitEntry(after),
      snapshot: timedAs('snapshot', (after) => log.snapshot(after)),
      forget: timedAs('forget', (tombstones) => log.forget(tombstones)),
      adopt: timedAs('adopt', (found, isKnown) => log.adopt(found, isKnown)),
      replace: timedAs('replace', (seen, generation) => log.replace(seen, generation)),
    },
    health: timedAs('health', () => store.health()),
    close: () => store.close(),
  };
}
