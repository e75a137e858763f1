/**
 * Callers that wait for people: many wait for many approvals, and the store is read once a second for all of them together. Whoever is
 * woken is told nothing: it looks itself.
 */
import type { Approval } from '../domain/approval.js';
import { createWaitingRoom } from '../domain/waiting-room.js';
import { goingOn } from '../ledger/approval-state.js';
import { readApprovals } from '../ledger/approvals.js';
import type { Ledger } from '../ledger/ledger.js';

/** A workload that waits for more than this has other troubles; and many together leave some of the places free. */
const WAITING_MOST = { all: 5_000, ofOneParty: 200, ofWhatIsFree: true } as const;

const LOOK_EACH_MS = 1_000;

export interface AnswerWaiting {
  /**
   * Resolves when the record is another than this one, its task is over, nobody can answer it any more, the time is up, too many
   * wait, or this broker is about to end.
   * @param ms Milliseconds.
   */
  wait: (party: string, approval: Approval, ms: number) => Promise<void>;
  /** Wakes all. Nobody waits from then on. */
  close: () => void;
}

export function createAnswerWaiting(ledger: Ledger): AnswerWaiting {
  const room = createWaitingRoom<{ party: string; approval: Approval }>(WAITING_MOST);
  let isLooking = false;
  let next: NodeJS.Timeout | undefined;

  /** Goes on while anybody waits. A store that does not answer wakes nobody: whoever waits may not be told a guess. */
  async function look(): Promise<void> {
    next = undefined;
    isLooking = true;
    const waiting = room.all();
    const known = waiting.map(({ approval }) => approval);
    const same = await stillSame(ledger, known).catch(() => undefined);
    room.wake(waiting.filter(({ approval }) => same && !same.has(keyOf(approval))));
    isLooking = false;
    lookLater();
  }

  /** Where nobody waits there is no timer either: it would keep a process that has ended its work. */
  function lookLater(): void {
    if (room.size() === 0) {
      clearTimeout(next);
      next = undefined;
    } else if (!isLooking) next ??= setTimeout(() => void look(), LOOK_EACH_MS);
  }

  return {
    async wait(party, approval, ms) {
      const untilLapse = approval.lapsesAt - ledger.clock.now();
      if (untilLapse <= 0 || !room.takes(party)) return;
      const waited = room.wait({ party, approval }, Math.min(ms, untilLapse));
      lookLater();
      await waited;
      lookLater();
    },
    close: () => room.close(),
  };
}

/** Returns the keys of those whose record is as it was, and whose task goes on. */
async function stillSame(ledger: Ledger, known: readonly Approval[]): Promise<Set<string>> {
  const distinct = new Map(known.map((approval) => [approval.id, approval]));
  const [found, living] = await Promise.all([
    readApprovals(ledger, [...distinct.keys()]),
    goingOn(
      ledger,
      [...distinct.values()].map(({ task }) => task),
    ),
  ]);
  return new Set(found.filter(({ task }) => living.has(task)).map(keyOf));
}

const keyOf = ({ id, revision }: Approval): string => `${id} ${revision}`;
