/** Something that lives for a while and is renewed at half its life, so that it is there when it cannot be had. */
import type { Clock } from '../../domain/time.js';
import { REVOKER_SESSION_MARGIN_MS } from '../../domain/timing.js';

export interface Hot<T> {
  current(): Promise<T>;
  /** It does not work any more. */
  drop(one: T): void;
}

export function keepHot<T>(clock: Clock, lifetimeMs: number, open: () => Promise<T>): Hot<T> {
  let kept: { one: T; since: number } | undefined;
  let opening: Promise<T> | undefined;

  const opened = async (): Promise<T> => {
    const since = clock.elapsed(); // Before asking: its life begins at some moment after this one.
    const one = await open();
    kept = { one, since };
    return one;
  };
  const renew = (): Promise<T> =>
    (opening ??= opened().finally(() => {
      opening = undefined;
    }));

  return {
    async current() {
      const age = kept ? clock.elapsed() - kept.since : Infinity;
      if (!kept || age >= lifetimeMs - REVOKER_SESSION_MARGIN_MS) return renew();
      if (age >= lifetimeMs / 2) void renew().catch(() => undefined); // Tried again at the next use.
      return kept.one;
    },
    drop(one) {
      if (kept?.one === one) kept = undefined;
    },
  };
}
