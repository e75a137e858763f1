/**
 * Callers that wait for the end of one thing: a proxy for that of its credential, an agent for that of its task. An entry of the log
 * wakes those who named its cause and nobody else, so ten thousand that wait make no publication slow.
 */
import type { Cause } from '../domain/selector.js';
import type { LogEntry } from '../domain/tombstone.js';
import { createWaitingRoom } from '../domain/waiting-room.js';
import type { InformedVerifier } from '../ledger/known-by.js';
import type { Follower } from './follow.js';
import type { Line } from './line.js';

const WAITING_MOST = { all: 10_000, ofOneParty: 2_000 } as const;

/**
 * Resolves when something is published under one of the causes, or when the log is another one, the time is up, too many wait, or
 * this broker is about to end. It never says which: whoever waited looks at the log.
 * @param ms Milliseconds.
 */
type Wait = (causes: readonly Cause[], ms: number) => Promise<void>;

interface Waiter {
  /** The id of the verifier. */
  party: string;
  who: InformedVerifier;
  causes: readonly Cause[];
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
  const room = createWaitingRoom<Waiter>(WAITING_MOST);
  const index = indexByCause();

  const hasMissed = (line: Line | undefined, from: number, causes: readonly Cause[]) =>
    line === undefined || follower.line() !== line || line.concerns(causes, from);

  async function wait(waiter: Waiter, ms: number): Promise<void> {
    const waited = room.wait(waiter, ms);
    onCount(room.size());
    index.add(waiter);
    await waited;
    onCount(room.size());
    index.remove(waiter);
  }

  return {
    async listen(who) {
      const { verifier: party } = who;
      if (room.takes(party) && !follower.line()) await follower.look();
      const line = follower.line();
      const from = line?.head() ?? 0;
      return async (causes, ms) => {
        if (room.takes(party) && !hasMissed(line, from, causes)) await wait({ party, who, causes }, ms);
      };
    },
    hear(entries) {
      if (entries.length === 0) room.wake(room.all());
      for (const { cause, effect } of entries) if (effect !== 'lift') room.wake(index.under(cause));
    },
    under: (cause) => index.under(cause).map(({ who }) => who),
    count: () => room.size(),
    close: () => room.close(),
  };
}

/** Who waits, by cause. */
function indexByCause() {
  const byCause = new Map<Cause, Set<Waiter>>();
  return {
    add(waiter: Waiter): void {
      for (const cause of waiter.causes) byCause.set(cause, (byCause.get(cause) ?? new Set()).add(waiter));
    },
    remove(waiter: Waiter): void {
      for (const cause of waiter.causes) {
        const rest = byCause.get(cause);
        rest?.delete(waiter);
        if (rest?.size === 0) byCause.delete(cause);
      }
    },
    under: (cause: Cause): Waiter[] => [...(byCause.get(cause) ?? [])],
  };
}
