/**
 * Whether a restart of this process may help. A store that is away or full is no reason to restart. A replica is: nothing can
 * be written there, and if connecting anew has not led to the primary for so long, starting anew may, or says what is wrong.
 */
import type { Clock } from '../domain/time.js';
import type { Store } from '../store/store.js';

export interface Liveness {
  /** Returns the store, whose health is noted whenever somebody asks for it. */
  watch(store: Store): Store;
  /** Returns why the process should be restarted; undefined while it should not. */
  reason(): string | undefined;
}

const REPLICA_FOR_MS = 30_000;
/** What the store said of itself counts for so long. */
const STALE_MS = 5_000;

export function createLiveness(clock: Pick<Clock, 'elapsed'>): Liveness {
  let onReplica: { since: number; until: number } | undefined;
  return {
    watch: (store) => ({
      ...store,
      async health() {
        const health = await store.health();
        const now = clock.elapsed();
        onReplica = health.isReplica ? { since: onReplica?.since ?? now, until: now } : undefined;
        return health;
      },
    }),
    reason() {
      if (!onReplica || clock.elapsed() - onReplica.until > STALE_MS) return undefined;
      const seconds = Math.floor((onReplica.until - onReplica.since) / 1000);
      return seconds * 1000 < REPLICA_FOR_MS ? undefined : `the store has been a replica for ${seconds} s`;
    },
  };
}
