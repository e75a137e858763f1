/** Work that goes on while a credential lives, and is to be cut when it dies. */
import type { Claims } from './claims.js';
import type { VerificationError } from './errors.js';

export type OnDead = (error: VerificationError) => void;

interface Watcher {
  claims: Claims;
  onDead: OnDead;
}

/** Returns why a credential is not to be used any more; undefined while it may be. */
type Judge = (claims: Claims) => VerificationError | undefined;

const EACH_MS = 1_000;

export function createWatchers(judge: Judge) {
  const byCause = new Map<string, Set<Watcher>>();
  const all = new Set<Watcher>();

  function stop(watcher: Watcher): void {
    all.delete(watcher);
    for (const cause of watcher.claims.causes) {
      const others = byCause.get(cause);
      others?.delete(watcher);
      if (others?.size === 0) byCause.delete(cause);
    }
  }

  function look(watchers: Iterable<Watcher>): void {
    for (const watcher of [...watchers]) {
      const error = judge(watcher.claims);
      if (!error) continue;
      stop(watcher);
      watcher.onDead(error);
    }
  }

  let isClosed = false;
  // Expiry and silence come without an event.
  const timer = setInterval(() => {
    look(all);
    if (isClosed && all.size === 0) clearInterval(timer);
  }, EACH_MS);
  timer.unref();
  return {
    /** Calls `onDead` once, at the latest a second after the credential has died. Returns how to stop. */
    watch: (claims: Claims, onDead: OnDead): (() => void) => {
      const watcher = { claims, onDead };
      all.add(watcher);
      for (const cause of claims.causes) {
        const others = byCause.get(cause) ?? new Set();
        byCause.set(cause, others.add(watcher));
      }
      look([watcher]);
      return () => stop(watcher);
    },
    /** Looks at those that hang on the cause, or at all. */
    look: (cause?: string) => look(cause === undefined ? all : (byCause.get(cause) ?? [])),
    /** Work that still runs is told nevertheless: nobody else would cut it. */
    close() {
      isClosed = true;
    },
  };
}
