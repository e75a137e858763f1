/** Signals, from taking them in to what is done about them: at once where that can be, by the schedule where it could not. */
import { randomInt } from 'node:crypto';
import type { AuditLog } from '../audit/log.js';
import type { LoadedConfig } from '../config/load.js';
import { SHARDS } from '../domain/id.js';
import { HARD_LIMITS } from '../domain/limits.js';
import type { Clock } from '../domain/time.js';
import { createTransmitters, type Transmitters } from '../identity/transmitters.js';
import { eachSettled } from '../ledger/each-settled.js';
import type { Ledger } from '../ledger/ledger.js';
import { pruneSignals, unfinishedSignals } from '../ledger/signals.js';
import { giveUpWaiting } from '../signals/expire.js';
import { react, type ReactDeps } from '../signals/react.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { fewAtATime } from './few-at-a-time.js';
import { assertWithin } from './rate.js';

interface SignalsSetup {
  loaded: { config: Pick<LoadedConfig['config'], 'lifetimes' | 'signals' | 'trust'>; directory: string };
  clock: Clock;
  ledger: Ledger;
  audit: AuditLog;
  metrics: Metrics;
  log: Logger;
}

export interface Signals {
  transmitters: Transmitters;
  /** Throws `slow_down` when a transmitter sends too much. */
  assertWithinSignalRate: (transmitter: string) => Promise<void>;
  /** One was taken in here, and is looked at as soon as its turn comes. */
  onSignal: (id: string) => void;
  /** Looks at those that nobody has looked at: after a crash, or when there were too many at once. */
  catchUp(): Promise<void>;
  prune(): Promise<void>;
  /** Those under way are finished; the others wait in the store. */
  close(): Promise<void>;
}

const AT_ONCE = 16;
/** What one broker keeps in mind to look at; the rest is found by the schedule, here or at another broker. */
const WAITING_MOST = 1_000;
const PAGE = 256;
/** Younger ones are in the hands of the broker that took them in. */
const LEFT_BEHIND_MS = 2_000;

export function openSignals({ loaded, clock, ledger, audit, metrics, log }: SignalsSetup): Signals {
  const { lifetimes, signals, trust } = loaded.config;
  const deps: ReactDeps = { ledger, audit, settings: { trust, signals } };
  const limits = new Map(signals.transmitters.map(({ name, perMinute }) => [name, assertWithin(perMinute)]));

  async function settle(id: string): Promise<void> {
    const signal = await react(deps, id);
    if (!signal) return;
    const seconds = Math.max(0, clock.now() - signal.receivedAt) / 1000;
    metrics.signalJudged(signal.reaction?.rule ?? 'none', signal.state, seconds);
  }
  const later = (err: unknown) => log.warn({ err }, 'a signal waits for its reaction');
  const queue = fewAtATime((id) => settle(id).catch(later), { atOnce: AT_ONCE, waitingMost: WAITING_MOST });

  function isLeftBehind([id, receivedAt]: [string, number]): boolean {
    const age = clock.now() - receivedAt;
    // From a future that no other broker can be in: the clock was set back, and waiting for it would take for ever.
    return !queue.has(id) && (age >= LEFT_BEHIND_MS || age < -HARD_LIMITS.clockSkewSeconds * 1000);
  }

  return {
    transmitters: createTransmitters({
      transmitters: signals.transmitters,
      ...{ clock, clockSkewSeconds: lifetimes.clockSkew, baseDirectory: loaded.directory },
    }),
    assertWithinSignalRate: async (name) => limits.get(name)?.(name),
    onSignal: (id) => queue.push(id),
    async catchUp() {
      await eachSettled(inAnyOrder(SHARDS), async (shard) => {
        const errors: unknown[] = [];
        for await (const page of unfinishedSignals(ledger, shard, PAGE))
          await inLanes(page.filter(isLeftBehind), ([id]) => settle(id)).catch((error: unknown) => errors.push(error));
        if (errors.length > 0) throw new Error('signals cannot be judged', { cause: errors[0] });
      });
    },
    async prune() {
      await eachSettled([() => giveUpWaiting(deps), () => pruneSignals(ledger)], (step) => step());
    },
    close: () => queue.close(),
  };
}

/** Brokers that catch up at once begin at different ends, or all would do the work of one. */
function inAnyOrder<T>(items: readonly T[]): T[] {
  const start = randomInt(items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}

/** Every item of every lane is tried, whatever becomes of the others. */
async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const lanes = Array.from({ length: AT_ONCE }, (_, lane) => items.filter((_item, index) => index % AT_ONCE === lane));
  const outcomes = await Promise.allSettled(lanes.map((lane) => eachSettled(lane, work)));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
