/** What a signal said, and what became of it. */
import type { Signal } from '../../domain/signal.js';
import { toTimestamp } from '../../domain/time.js';

export const signalOnWire = ({
  id,
  source,
  event,
  level,
  about,
  reason,
  state,
  reaction,
  decided,
  ...times
}: Signal) => ({
  id,
  source,
  event,
  level,
  about,
  at: toTimestamp(times.at),
  receivedAt: toTimestamp(times.receivedAt),
  ...(reason !== undefined && { reason }),
  state,
  ...(reaction && { reaction }),
  // What follows from its state is still to be done, and will be within seconds.
  ...(times.unfinished && { unfinished: true }),
  ...(decided && { decided: { ...decided, at: toTimestamp(decided.at) } }),
});
