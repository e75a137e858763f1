/** Who may wait: so many of one party, in all, and where that is said, only a share of what the others leave free. */
import { afterEach, expect, it } from '@jest/globals';
import { createWaitingRoom } from '../../../src/domain/waiting-room.js';

const LONG_MS = 3_600_000;

let close: (() => void) | undefined;
afterEach(() => close?.());

function roomOf(more: { ofWhatIsFree?: true } = {}) {
  const room = createWaitingRoom<{ party: string }>({ all: 100, ofOneParty: 20, ...more });
  close = () => room.close();
  /** Returns how many of this party wait where as many as possible try. */
  return (party: string): number => {
    let waiting = 0;
    for (; room.takes(party); waiting += 1) void room.wait({ party }, LONG_MS);
    return waiting;
  };
}

it('is as many as are allowed for one party, and in all', () => {
  const wait = roomOf();
  expect(Array.from({ length: 6 }, (_, n) => wait(`lab:agent-${n}`))).toEqual([20, 20, 20, 20, 20, 0]);
});

it('is a share of what the others leave free, where that is said: as many parties as would fill the room leave places', () => {
  const wait = roomOf({ ofWhatIsFree: true });
  const each = Array.from({ length: 10 }, (_, n) => wait(`lab:agent-${n}`));
  expect(each).toEqual([20, 16, 13, 11, 8, 7, 5, 4, 4, 3]);
  expect(wait('lab:honest')).toBe(2);
  // It may have no more than it has.
  expect(wait('lab:agent-0')).toBe(0);
});
