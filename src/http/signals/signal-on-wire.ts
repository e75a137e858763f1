/** What a signal said, and what became of it. */
import { defined } from '../../domain/defined.js';
import type { Signal } from '../../domain/signal.js';
import { toTimestamp } from '../../domain/time.js';

export const signalOnWire = ({ id, source, event, level, about, reason, state, reaction, decided, ...times }: Signal) =>
  defined({
    id,
    source,
    event,
    level,
    about,
    at: toTimestamp(times.at),
    receivedAt: toTimestamp(times.receivedAt),
    reason,
    state,
    reaction,
    // What follows from its state is still to be done, and will be within seconds.
    ...(times.unfinished && { unfinished: true }),
    decided: decided && { ...decided, at: toTimestamp(decided.at) },
  });
