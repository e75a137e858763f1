/**
 * Whether this broker may mint and sweep: its store takes writes and is not nearly full, and its clock agrees with the store's
 * clock and with the time that has passed. Unknown counts as no. On LMDB both clocks are one: if it were trusted while
 * somebody sets it ahead and back again, the broker would forget what is dead, and then accept it again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { BrokerError } from '../domain/errors.js';
import type { Clock } from '../domain/time.js';
import type { Key, Store, StoreHealth } from '../store/store.js';
import { check, type Check } from './check.js';
import { monitorClock, type ClockMonitor } from './clock-monitor.js';

export interface Fitness extends Pick<ClockMonitor, 'surelyPast'> {
  /** Examines store and clocks now. The other functions answer by its result until the next call. */
  check(): Promise<Check[]>;
  /** Throws `temporarily_unavailable` while this broker must not mint. */
  assertFitToMint(): void;
  /** Returns whether the store has room for what neither grants nor ends anything. The last fifth is not for that. */
  hasRoomToSpare(): boolean;
  /** Returns whether the clocks agree. A broker with a wrong clock would end tasks and forget revocations too early. */
  maySweep(): boolean;
}

interface FitnessDeps {
  store: Pick<Store, 'health' | 'records'>;
  clock: Clock;
  clockSkewSeconds: number;
  /** Names the record that is written to see whether the store takes writes. */
  node: string;
  patienceMs?: number;
}

const PATIENCE_MS = 2_000;
/** A result that is older than this counts as unknown. */
const STALE_MS = 5_000;
const FULL_FRACTION = 0.9;
/** From here on refusals are counted and not written: the room up to `FULL_FRACTION` is kept for grants, the rest for endings. */
const REFUSALS_FRACTION = 0.8;
const PROBE_KEPT_MS = 60_000;

export function createFitness({
  store,
  clock,
  clockSkewSeconds,
  node,
  patienceMs = PATIENCE_MS,
}: FitnessDeps): Fitness {
  const probe: Key = `probe/${node}`;
  const skewMs = clockSkewSeconds * 1000;
  const monitor = monitorClock(clock, skewMs);
  let usedFraction = 0;
  let last: { at: number; checks: Check[] } | undefined;

  const holds = (names?: readonly string[]): boolean =>
    last !== undefined &&
    Math.abs(clock.now() - last.at) <= STALE_MS &&
    monitor.setByMs() <= skewMs &&
    last.checks.every(({ name, ok }) => ok || names?.includes(name) === false);

  async function writeProbe(): Promise<void> {
    const now = clock.now();
    await store.records.commit({ put: [[probe, String(now), now + PROBE_KEPT_MS]] });
  }

  return {
    async check() {
      monitor.sample();
      const [health, written] = await Promise.allSettled([
        within(patienceMs, store.health()),
        within(patienceMs, writeProbe()),
      ]);
      // An unknown size is no reason to be silent: a store that does not answer takes no refusals either.
      if (health.status === 'fulfilled') ({ usedFraction } = health.value);
      const checks = [
        ...(health.status === 'fulfilled'
          ? healthChecks(health.value, { now: clock.now(), setByMs: monitor.setByMs(), skewMs })
          : UNREACHABLE),
        check('write', written.status === 'fulfilled', `the store took no write within ${patienceMs} ms`),
      ];
      last = { at: clock.now(), checks };
      return checks;
    },
    assertFitToMint() {
      if (holds()) return;
      throw new BrokerError('temporarily_unavailable', 'The broker cannot mint safely now.', {
        retryAfterSeconds: 1,
      });
    },
    hasRoomToSpare: () => usedFraction < REFUSALS_FRACTION,
    maySweep: () => holds(['clock']),
    surelyPast: () => monitor.surelyPast(),
  };
}

const UNREACHABLE: Check[] = [
  { name: 'store', ok: false, reason: 'the store does not answer' },
  { name: 'clock', ok: false, reason: "the store's clock is unknown" },
];

interface Time {
  now: number;
  setByMs: number;
  skewMs: number;
}

function healthChecks({ clock, usedFraction, problems }: StoreHealth, { now, setByMs, skewMs }: Time): Check[] {
  const apartMs = Math.abs(now - clock);
  const disagreement =
    apartMs > skewMs
      ? `the clocks of broker and store are ${apartMs} ms apart`
      : `the clock was set: it moved ${setByMs} ms beside the time that passed`;
  return [
    check('store', problems.length === 0, problems.join('; ')),
    check('clock', Math.max(apartMs, setByMs) <= skewMs, disagreement),
    check('space', usedFraction < FULL_FRACTION, `the store is ${Math.round(usedFraction * 100)} % full`),
  ];
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = new AbortController();
  const timeout = pause(ms, undefined, { signal: late.signal, ref: false }).then(() => {
    throw new Error('took too long');
  });
  timeout.catch(() => undefined);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    late.abort();
    work.catch(() => undefined);
  }
}
