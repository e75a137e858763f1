/** Clocks, the only sources of time: whoever needs the time takes a clock as an argument. Also conversions of time. */

/** The time as this host tells it, right or wrong. */
export interface SystemClock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  reading(): number;
  /** Milliseconds since some moment, by a clock that nobody can set. Comparing the two shows that `reading` was set. */
  elapsed(): number;
  /** Resolves after so many milliseconds: the wait between two attempts. */
  pause(ms: number): Promise<void>;
}

/** The time as a broker may use it. All in milliseconds, like `SystemClock`. */
export interface Clock extends Pick<SystemClock, 'elapsed' | 'pause'> {
  /** Returns the time. Throws `temporarily_unavailable` while this clock is known to be wrong, or not compared yet. */
  now(): number;
  /**
   * Returns the latest time that anything claims: this host, the store, or the time agreed on earlier. It may be wrong, and
   * never throws. It is for endings and for what is only written down; lint names the files that may call it.
   */
  unchecked(): number;
  /** Returns the earliest of these times: what may not have expired can still be ended. Never throws either. */
  uncheckedEarliest(): number;
  /**
   * Returns the middle one of these times; of four, the earlier of the middle two. It is for how long ago something was, where
   * being too early is as bad as being too late. Never throws either.
   */
  uncheckedMiddle(): number;
  /** Returns every time that anything claims now, `unchecked` among them. One of them may be right. */
  uncheckedTimes(): readonly number[];
  /** Returns whether `now` would answer. */
  isTrusted(): boolean;
}

export const systemClock: SystemClock = {
  reading: () => Date.now(),
  elapsed: () => performance.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Milliseconds to whole seconds, which JWTs count in (RFC 7519 §2), rounded down. */
export const toSeconds = (ms: number): number => Math.floor(ms / 1000);

/** Rounds a moment down to its second, because a token cannot say anything finer. Milliseconds. */
export const wholeSeconds = (ms: number): number => toSeconds(ms) * 1000;

export const toTimestamp = (ms: number): string => new Date(ms).toISOString();

/** The last second that RFC 3339 can write: 9999-12-31T23:59:59Z. */
export const LATEST_SECONDS = 253_402_300_799;

/**
 * Returns the milliseconds of an RFC 3339 time; undefined for what is none, and for a moment before 1970 or after the year 9999,
 * which an offset can name and no answer could say.
 */
export function fromTimestamp(text: string): number | undefined {
  const [, day = ''] = TIMESTAMP.exec(text) ?? [];
  const [ms, midnight] = [Date.parse(text), Date.parse(`${day}T00:00:00Z`)];
  // JavaScript takes the 30th of February for the 2nd of March.
  const exists = !Number.isNaN(midnight) && toTimestamp(midnight).startsWith(day);
  return exists && ms >= 0 && ms < (LATEST_SECONDS + 1) * 1000 ? ms : undefined;
}

const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/** Returns a wait as clients get it: in whole seconds, and at least 1, because a client that gets 0 asks again at once. */
export const secondsToWait = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));
