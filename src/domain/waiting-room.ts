/** Callers that wait until something happens. Each holds a connection, so only so many do at once, in all and of one party. */

interface WaitingRoom<W extends { party: string }> {
  /** Returns whether one more of this party can wait. Whoever cannot gets the answer at once, as without a wait. */
  takes(party: string): boolean;
  /**
   * Resolves when the waiter is woken, or the time is up.
   * @param ms Milliseconds.
   */
  wait(waiter: W, ms: number): Promise<void>;
  all(): W[];
  size(): number;
  wake(waiters: Iterable<W>): void;
  /** Wakes all. Nobody waits from then on. */
  close(): void;
}

interface Most {
  all: number;
  ofOneParty: number;
  /** Whether the share of a party is one of what the others leave free: else a few parties could take all places. */
  ofWhatIsFree?: true;
}

export function createWaitingRoom<W extends { party: string }>(most: Most): WaitingRoom<W> {
  const wakes = new Map<W, () => void>();
  const ofParty = new Map<string, number>();
  let isClosed = false;

  function count(party: string, change: number): void {
    const others = (ofParty.get(party) ?? 0) + change;
    if (others > 0) ofParty.set(party, others);
    else ofParty.delete(party);
  }

  const shareOf = (party: string): number => {
    const others = wakes.size - (ofParty.get(party) ?? 0);
    return most.ofWhatIsFree ? most.ofOneParty * (1 - others / most.all) : most.ofOneParty;
  };

  const wake = (waiters: Iterable<W>): void => {
    for (const waiter of waiters) wakes.get(waiter)?.();
  };

  return {
    takes: (party) => !isClosed && wakes.size < most.all && (ofParty.get(party) ?? 0) < shareOf(party),
    async wait(waiter, ms) {
      count(waiter.party, 1);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wakes.set(waiter, () => {
          clearTimeout(timer);
          resolve();
        });
      });
      wakes.delete(waiter);
      count(waiter.party, -1);
    },
    all: () => [...wakes.keys()],
    size: () => wakes.size,
    wake,
    close() {
      isClosed = true;
      wake(wakes.keys());
    },
  };
}
