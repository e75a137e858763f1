/**
 * Whether this broker may mint and sweep: its store writes, is not nearly full, and its clock agrees with the store's and with
 * the time that has passed. Unknown counts as no. On LMDB both clocks are one: were it believed while somebody sets it ahead
 * and back, it would forget what is dead and then revive it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { BrokerError } from '../domain/errors.js';
import { watchClock, type ClockWatch } from './clock-watch.js';
import type { Clock } from '../domain/time.js';
import type { Key, Store, StoreHealth } from '../store/store.js';

export interface Check {
  name: string;
  ok: boolean;
  /** For an operator, when it is not. */
  reason?: string;
  /** Something is wrong, and the broker serves all the same. */
  degrades?: true;
}

export interface Fitness extends Pick<ClockWatch, 'surelyPast'> {
  /** Looks now. What it finds is what the others answer until the next look. */
  check(): Promise<Check[]>;
  /** Throws `temporarily_unavailable` while this broker must not mint. */
  assertFitToMint(): void;
  /** Whether the clocks agree: who sweeps or forgets by a wrong clock does it before its time. */
  maySweep(): boolean;
}

interface FitnessDeps {
  store: Pick<Store, 'health' | 'records'>;
  clock: Clock;
  clockSkewSeconds: number;
  /** Names the record that is written to see that writing works. */
  node: string;
  patienceMs?: number;
}

const PATIENCE_MS = 2_000;
/** Beyond this age a good look says nothing any more. */
const STALE_MS = 5_000;
const FULL_FRACTION = 0.9;
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
  const watch = watchClock(clock, skewMs);
  let last: { at: number; checks: Check[] } | undefined;

  const holds = (names?: readonly string[]): boolean =>
    last !== undefined &&
    Math.abs(clock.now() - last.at) <= STALE_MS &&
    watch.setByMs() <= skewMs &&
    last.checks.every(({ name, ok }) => ok || names?.includes(name) === false);

  async function write(): Promise<void> {
    const now = clock.now();
    await store.records.commit({ put: [[probe, String(now), now + PROBE_KEPT_MS]] });
  }

  return {
    async check() {
      watch.look();
      const [health, written] = await Promise.allSettled([
        within(patienceMs, store.health()),
        within(patienceMs, write()),
      ]);
      const checks = [
        ...(health.status === 'fulfilled'
          ? healthChecks(health.value, { now: clock.now(), setByMs: watch.setByMs(), skewMs })
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
    maySweep: () => holds(['clock']),
    surelyPast: () => watch.surelyPast(),
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

const check = (name: string, holds: boolean, reason: string): Check =>
  holds ? { name, ok: true } : { name, ok: false, reason };

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
