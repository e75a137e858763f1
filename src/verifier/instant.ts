/** A moment by both clocks of this host, so that how long ago it was cannot be understated by setting one. */

export interface Instant {
  /** Stands still while the machine sleeps. */
  running: number;
  /** Goes on while it sleeps, and may be set. */
  told: number;
}

/** Returns the present moment. All in milliseconds. */
export const instant = (): Instant => ({
  running: performance.now(),
  // eslint-disable-next-line no-restricted-properties -- set forward, it only makes what is known seem older: see ageOf.
  told: Date.now(),
});

/** Returns how long ago a moment was, by whichever clock says longer. A clock that is set forward costs a second of refusals. */
export const ageOf = (then: Instant, now: Instant): number =>
  Math.max(now.running - then.running, now.told - then.told);
