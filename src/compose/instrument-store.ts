/** Wraps a store to time its operations. */
import type { Store } from '../store/store.js';
import type { Metrics } from '../telemetry/metrics.js';

export function instrumentStore(store: Store, metrics: Pick<Metrics, 'timeStore'>): Store {
  const { records, log } = store;
  const timed =
    <A extends unknown[], R>(operation: string, call: (...input: A) => Promise<R>) =>
    async (...input: A): Promise<R> => {
      const stop = metrics.timeStore(operation);
      try {
        return await call(...input);
      } finally {
        stop();
      }
    };
  return {
    records: {
      read: timed('read', (keys) => records.read(keys)),
      commit: timed('commit', (change) => records.commit(change)),
      range: timed('range', (index, by) => records.range(index, by)),
      count: timed('count', (index, by) => records.count(index, by)),
    },
    log: {
      look: timed('look', (causes, known) => log.look(causes, known)),
      publish: timed('publish', (publication) => log.publish(publication)),
      entries: timed('entries', (after, limit) => log.entries(after, limit)),
      // It waits on purpose.
      awaitEntry: (after) => log.awaitEntry(after),
      snapshot: timed('snapshot', (after) => log.snapshot(after)),
      forget: timed('forget', (tombstones) => log.forget(tombstones)),
      adopt: timed('adopt', (found, isKnown) => log.adopt(found, isKnown)),
      replace: timed('replace', (seen, generation) => log.replace(seen, generation)),
    },
    health: timed('health', () => store.health()),
    close: () => store.close(),
  };
}
