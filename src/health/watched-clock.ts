/**
 * The broker's clock, compared with the store's, with the time agreed on earlier, and with the time that has passed. While one
 * of these disagrees, the clock says so instead of telling the time. On LMDB the store's clock is this one too.
 */
import { BrokerError } from '../domain/errors.js';
import type { Clock, SystemClock } from '../domain/time.js';
import { check, type Check } from './check.js';
import { monitorClock, type ClockMonitor } from './clock-monitor.js';

interface StoreTimes {
  /** The store's own clock. */
  store: number;
  /** The highest time that a broker and the store have agreed on. Undefined: none yet. */
  agreed: number | undefined;
}

export interface WatchedClock extends Clock, Pick<ClockMonitor, 'surelyPast'> {
  /**
   * Compares the clocks, and returns the check named `clock`. The clock is trusted or not by this result until the next one.
   * Undefined: the store did not answer, which counts as disagreement.
   */
  compare(told: StoreTimes | undefined): Check;
}

const WRONG = "This broker's clock is wrong or unknown: it only ends and holds.";

export function watchClock(system: SystemClock, skewMs: number): WatchedClock {
  const monitor = monitorClock(system, skewMs);
  let agreedOn = -Infinity;
  /** How far the store's clock, and this one when it was last trusted, are ahead of `elapsed`: so both go on meanwhile. */
  const aheadMs = { store: -Infinity, trusted: -Infinity };
  let agrees = false;

  const behindMs = (): number => agreedOn - system.reading();
  const uncheckedTimes = (): number[] => {
    const passed = Object.values(aheadMs).map((ms) => Math.floor(system.elapsed() + ms));
    return [system.reading(), agreedOn, ...passed].filter(Number.isFinite);
  };
  const isTrusted = (): boolean => agrees && monitor.setByMs() <= skewMs && behindMs() <= skewMs;

  function disagreement(store: number): string | undefined {
    const apartMs = Math.abs(system.reading() - store);
    if (apartMs > skewMs) return `the clocks of broker and store are ${seconds(apartMs)} apart`;
    if (monitor.setByMs() > skewMs)
      return `the clock was set: it moved ${seconds(monitor.setByMs())} beside the time that passed`;
    if (behindMs() > skewMs)
      return `the clock is ${seconds(behindMs())} behind the time that brokers and store agreed on: docs/operations.md#clocks`;
    return undefined;
  }

  return {
    now() {
      if (isTrusted()) return Math.max(system.reading(), agreedOn);
      throw new BrokerError('temporarily_unavailable', WRONG, { retryAfterSeconds: 1 });
    },
    // Each request asks several times: the same times, without a list of them. One that is none is -Infinity.
    unchecked: () =>
      Math.max(system.reading(), agreedOn, Math.floor(system.elapsed() + Math.max(aheadMs.store, aheadMs.trusted))),
    uncheckedEarliest: () => Math.min(...uncheckedTimes()),
    uncheckedMiddle: () => middleOf(uncheckedTimes()),
    uncheckedTimes,
    isTrusted,
    elapsed: () => system.elapsed(),
    pause: (ms) => system.pause(ms),
    surelyPast: () => monitor.surelyPast(),
    compare(told) {
      monitor.sample();
      if (told) {
        aheadMs.store = told.store - system.elapsed();
        agreedOn = told.agreed ?? -Infinity;
      }
      const reason = told ? disagreement(told.store) : "the store's clock is unknown";
      agrees = reason === undefined;
      if (agrees) aheadMs.trusted = system.reading() - system.elapsed();
      return check('clock', agrees, reason ?? '');
    },
  };
}

/** Example: `17996.049 s`. */
const seconds = (ms: number): string => `${ms / 1000} s`;

/** Of an even number, the earlier of the two in the middle. There is at least one. */
const middleOf = (times: readonly number[]): number =>
  times.toSorted((one, other) => one - other)[(times.length - 1) >> 1] ?? Math.min(...times);
