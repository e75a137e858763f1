/**
 * Callers that wait for the end of one thing: a proxy for that of its credential, an agent for that of its task. An entry of the log
 * wakes those who named its cause and nobody else, so ten thousand that wait make no publication slow.
 */
import { createBell } from '../domain/bell.js';
import type { Cause } from '../domain/selector.js';
import type { LogEntry } from '../domain/tombstone.js';
import type { InformedVerifier } from '../ledger/known-by.js';
import type { Follower } from './follow.js';
import type { Line } from './line.js';

/** Beyond these nobody waits: the answer comes at once, as without a wait. Each holds a connection. */
const WAITING_MAX = { all: 10_000, ofOneParty: 2_000 } as const;

/**
 * Resolves when something is published under one of the causes, or when the log is another one, the time is up, too many wait, or
 * this broker is about to end. It never says which: whoever waited looks at the log.
 * @param ms Milliseconds.
 */
type Wait = (causes: readonly Cause[], ms: number) => Promise<void>;

interface Waiter {
  who: InformedVerifier;
  causes: readonly Cause[];
  wake: () => void;
}

export interface Waiting {
  /**
   * Call it before the look at the log after which you want to wait. What is published after that look wakes whoever waits then, and
   * also what was published before the waiting began. Rejects when the log cannot be read.
   */
  listen: (who: InformedVerifier) => Promise<Wait>;
  /** Wakes those whom these entries may concern; all of them where there is none, because the log is another one. */
  hear: (entries: readonly LogEntry[]) => void;
  /** Returns who waits for something under this cause. */
  under: (cause: Cause) => InformedVerifier[];
  count: () => number;
  /** Wakes all. Nobody waits from then on. */
  close: () => void;
}

export function createWaiting(follower: Pick<Follower, 'line' | 'look'>, onCount: (count: number) => void): Waiting {
  const waiters = createWaiters(onCount);
  let isClosed = false;

  const hasMissed = (line: Line | undefined, from: number, causes: readonly Cause[]) =>
    line === undefined || follower.line() !== line || line.concerns(causes, from);

  return {
    async listen(who) {
      if (!isClosed && !follower.line()) await follower.look();
      const line = follower.line();
      const from = line?.head() ?? 0;
      return async (causes, ms) => {
        if (!isClosed && !waiters.isFull(who.verifier) && !hasMissed(line, from, causes))
          await waiters.wait({ who, causes }, ms);
      };
    },
    hear(entries) {
      if (entries.length === 0) wake(waiters.all());
      for (const { cause, effect } of entries) if (effect !== 'lift') wake(waiters.under(cause));
    },
    under: (cause) => [...waiters.under(cause)].map(({ who }) => who),
    count: () => waiters.all().size,
    close() {
      isClosed = true;
      wake(waiters.all());
    },
  };
}

function wake(waiters: Iterable<Waiter>): void {
  for (const waiter of [...waiters]) waiter.wake();
}

/** Who waits, by cause and by party. */
function createWaiters(onCount: (count: number) => void) {
  const all = new Set<Waiter>();
  const byCause = new Map<Cause, Set<Waiter>>();
  const ofParty = new Map<string, number>();

  function begin(waiter: Waiter): void {
    all.add(waiter);
    onCount(all.size);
    ofParty.set(waiter.who.verifier, (ofParty.get(waiter.who.verifier) ?? 0) + 1);
    for (const cause of waiter.causes) byCause.set(cause, (byCause.get(cause) ?? new Set()).add(waiter));
  }

  function end(waiter: Waiter): void {
    all.delete(waiter);
    onCount(all.size);
    const others = (ofParty.get(waiter.who.verifier) ?? 1) - 1;
    if (others > 0) ofParty.set(waiter.who.verifier, others);
    else ofParty.delete(waiter.who.verifier);
    for (const cause of waiter.causes) {
      const rest = byCause.get(cause);
      rest?.delete(waiter);
      if (rest?.size === 0) byCause.delete(cause);
    }
  }

  return {
    all: (): ReadonlySet<Waiter> => all,
    under: (cause: Cause): ReadonlySet<Waiter> => byCause.get(cause) ?? new Set(),
    isFull: (party: string) => all.size >= WAITING_MAX.all || (ofParty.get(party) ?? 0) >= WAITING_MAX.ofOneParty,
    async wait(waiting: Omit<Waiter, 'wake'>, ms: number): Promise<void> {
      const { bell, ring } = createBell();
      const rung = bell();
      const waiter = { ...waiting, wake: ring };
      const timer = setTimeout(ring, ms);
      begin(waiter);
      await rung;
      clearTimeout(timer);
      end(waiter);
    },
  };
}
