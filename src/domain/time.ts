/** The one source of time. Everything that asks for the time is handed a clock. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Milliseconds that have passed since some moment, by a clock that nobody can set: shows when `now` was. */
  elapsed(): number;
  /** Resolves after so many milliseconds: the wait between two attempts. */
  pause(ms: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** JWTs count in whole seconds (RFC 7519 §2); everything inside counts in milliseconds. */
export const toSeconds = (ms: number): number => Math.floor(ms / 1000);

/** The moment at the beginning of its second: what tokens can say exactly. Milliseconds. */
export const wholeSeconds = (ms: number): number => toSeconds(ms) * 1000;

export const toTimestamp = (ms: number): string => new Date(ms).toISOString();
