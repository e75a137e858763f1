/** Reacts to accepted signals: at once where there is room, and by the schedule to those that no broker has finished. */
import { randomInt } from 'node:crypto';
import { SHARDS } from '../domain/id.js';
import { HARD_LIMITS } from '../domain/limits.js';
import type { Signal } from '../domain/signal.js';
import { eachSettled } from '../ledger/each-settled.js';
import { pruneSignals, unfinishedSignals } from '../ledger/signals.js';
import { boundedQueue } from './bounded-queue.js';
import { expirePendingSignals, react, type ReactDeps } from './react.js';

export interface SignalQueue {
  /** Queues a signal that was accepted here. Where the queue is full, `catchUp` finds it later. */
  push(id: string): void;
  /** Reacts to the signals that no broker has finished: after a crash, or when too many came at once. */
  catchUp(): Promise<void>;
  prune(): Promise<void>;
  /** Finishes the signals under way; the others wait in the store. */
  close(): Promise<void>;
}

interface Events {
  reacted(signal: Signal): void;
  /** `catchUp` tries the signal again. */
  failed(error: unknown): void;
}

const CONCURRENCY = 16;
/** Signals that one broker queues. `catchUp` finds the others, here or at another broker. */
const WAITING_MOST = 1_000;
const PAGE = 256;
/** A younger signal is still in the hands of the broker that accepted it. */
const LEFT_BEHIND_MS = 2_000;

export function createSignalQueue(deps: ReactDeps, events: Events): SignalQueue {
  const { ledger } = deps;
  const { clock } = ledger;

  async function settle(id: string): Promise<void> {
    const signal = await react(deps, id);
    if (signal) events.reacted(signal);
  }
  const limits = { concurrency: CONCURRENCY, waitingMost: WAITING_MOST };
  const queue = boundedQueue((id) => settle(id).catch((error: unknown) => events.failed(error)), limits);

  function isLeftBehind([id, receivedAt]: [string, number]): boolean {
    const age = clock.uncheckedMiddle() - receivedAt;
    // A signal from further in the future than clocks differ was received before the clock was set back. Waiting for
    // that moment could take for ever.
    return !queue.has(id) && (age >= LEFT_BEHIND_MS || age < -HARD_LIMITS.clockSkewSeconds * 1000);
  }

  return {
    push: (id) => queue.push(id),
    async catchUp() {
      await eachSettled(inAnyOrder(SHARDS), async (shard) => {
        const errors: unknown[] = [];
        for await (const page of unfinishedSignals(ledger, shard, PAGE)) {
          const left = page.filter(isLeftBehind);
          await eachSettled(left, ([id]) => settle(id), CONCURRENCY).catch((error: unknown) => errors.push(error));
        }
        if (errors.length > 0) throw new Error('signals cannot be evaluated', { cause: errors[0] });
      });
    },
    async prune() {
      await eachSettled([() => expirePendingSignals(deps), () => pruneSignals(ledger)], (step) => step());
    },
    close: () => queue.close(),
  };
}

/**
 * Returns the items from a random place on. Brokers that catch up at the same time start at different shards, so that they
 * do not all do the same work.
 */
function inAnyOrder<T>(items: readonly T[]): T[] {
  const start = randomInt(items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}
