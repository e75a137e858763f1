/**
 * Whether this broker may mint and sweep: its store takes writes and is not nearly full, and its clock can be trusted
 * (watched-clock.ts). Unknown counts as no. If a clock were trusted while somebody sets it ahead and back again, the broker
 * would forget what is dead, and then accept it again.
 */
import { BrokerError } from '../domain/errors.js';
import { within } from '../domain/within.js';
import { StoreUnavailable, type Key, type Store, type StoreHealth } from '../store/store.js';
import { raiseAgreedTime, readAgreedTime, type AgreedTime } from './agreed-time.js';
import { check, type Check } from './check.js';
import type { WatchedClock } from './watched-clock.js';

export interface Fitness extends Pick<WatchedClock, 'surelyPast'> {
  /** Examines store and clocks now. The other functions answer by its result until the next call. */
  check(): Promise<Check[]>;
  /** Throws `temporarily_unavailable` while this broker must not mint. */
  assertFitToMint(): void;
  /** Returns whether the store has room for what neither grants nor ends anything. The last fifth is not for that. */
  hasRoomToSpare(): boolean;
  /** Returns whether the clocks agreed a moment ago. A broker with a wrong clock would end tasks and forget revocations too early. */
  maySweep(): boolean;
}

interface FitnessDeps {
  store: Pick<Store, 'health' | 'records'>;
  clock: WatchedClock;
  /** Names the record that is written to see whether the store takes writes. */
  node: string;
  /**
   * `raise`: this clock may raise the time agreed on. Only a broker does that: it notices when its host's clock is set, and a tool
   * that starts afterwards cannot. `read`: it is compared and left as it is.
   */
  agreedTime: 'raise' | 'read';
  patienceMs?: number;
}

const PATIENCE_MS = 2_000;
/** A result that is older than this counts as unknown. */
const STALE_MS = 5_000;
const FULL_FRACTION = 0.9;
/** From here on refusals are counted and not written: the room up to `FULL_FRACTION` is kept for grants, the rest for endings. */
const REFUSALS_FRACTION = 0.8;
const PROBE_KEPT_MS = 60_000;
/** The checks of this file. */
const CHECKED = ['store', 'clock', 'space', 'write'];

export function createFitness({ store, clock, node, agreedTime, patienceMs = PATIENCE_MS }: FitnessDeps): Fitness {
  const probe: Key = `probe/${node}`;
  let usedFraction = 0;
  let last: { at: number; checks: Check[] } | undefined;

  /** Returns the names of the checks that do not hold now. A result that is too old says nothing about any of them. */
  const failing = (): string[] => {
    if (!last || clock.elapsed() - last.at > STALE_MS) return [...CHECKED];
    const names = last.checks.filter(({ ok }) => !ok).map(({ name }) => name);
    return clock.isTrusted() || names.includes('clock') ? names : [...names, 'clock'];
  };

  async function compare(): Promise<Compared> {
    const compared = await compareClock(store, clock);
    const { agreed, health } = compared;
    // A store that takes no writes fails another check.
    if (compared.clock.ok && agreedTime === 'raise')
      await raiseAgreedTime(store, agreed, Math.min(clock.now(), health.clock)).catch(() => undefined);
    return compared;
  }

  async function writeProbe(): Promise<void> {
    const now = clock.unchecked();
    await store.records.commit({ put: [[probe, String(now), now + PROBE_KEPT_MS]] });
  }

  return {
    async check() {
      const [told, written] = await Promise.allSettled([
        within(patienceMs, compare(), tookTooLong),
        within(patienceMs, writeProbe(), tookTooLong),
      ]);
      // An unknown size is no reason to be silent: a store that does not answer takes no refusals either.
      if (told.status === 'fulfilled') ({ usedFraction } = told.value.health);
      const checks = [
        ...(told.status === 'fulfilled' ? storeChecks(told.value) : unreachable(told.reason, clock)),
        check('write', written.status === 'fulfilled', whyNotWritten(written, patienceMs)),
      ];
      last = { at: clock.elapsed(), checks };
      return checks;
    },
    assertFitToMint() {
      const names = failing();
      if (names.length === 0) return;
      // The names tell the caller's developer what to ask the operator about. The reasons are for operators: /health/ready.
      throw new BrokerError(
        'temporarily_unavailable',
        `The broker cannot mint safely now. These of its checks fail: ${names.join(', ')}.`,
        { retryAfterSeconds: 1 },
      );
    },
    hasRoomToSpare: () => usedFraction < REFUSALS_FRACTION,
    maySweep: () => !failing().includes('clock'),
    surelyPast: () => clock.surelyPast(),
  };
}

const tookTooLong = () => new Error('took too long');

interface Compared {
  health: StoreHealth;
  agreed: AgreedTime;
  /** The check named `clock`. */
  clock: Check;
}

/**
 * Asks the store what time it is and which time was agreed on, and compares the clock with both. It leaves the time agreed on as
 * it is. Rejects when the store does not answer; the clock is then as trusted as it was.
 */
export async function compareClock(store: Pick<Store, 'health' | 'records'>, clock: WatchedClock): Promise<Compared> {
  const [health, agreed] = await Promise.all([store.health(), readAgreedTime(store)]);
  return { health, agreed, clock: clock.compare({ store: health.clock, agreed: agreed?.value.time }) };
}

/** Returns the store's own reason where it gave one. */
const whyNotWritten = (written: PromiseSettledResult<void>, patienceMs: number): string =>
  written.status === 'rejected' && written.reason instanceof StoreUnavailable
    ? written.reason.message
    : `the store took no write within ${patienceMs} ms`;

const unreachable = (why: unknown, clock: WatchedClock): Check[] => [
  check('store', false, why instanceof StoreUnavailable ? why.message : 'the store does not answer'),
  clock.compare(undefined),
];

const storeChecks = ({ health: { usedFraction, problems }, clock }: Compared): Check[] => [
  check('store', problems.length === 0, problems.join('; ')),
  clock,
  check('space', usedFraction < FULL_FRACTION, `the store is ${Math.round(usedFraction * 100)} % full`),
];
