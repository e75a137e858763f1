/**
 * What the log keeps under a cause. Tombstones join: a publication adds to what is there and never takes away, except
 * that a lift removes one hold. The join is written here once; both stores apply it.
 */
import type { Outcome } from './task.js';
import type { Cause, Effect } from './selector.js';
import type { Selector } from './selector.js';

export interface Tombstone {
  /** The first `end`: later ones change nothing. */
  ended?: { seq: number; as: Outcome };
  /** The latest `cutoff`, and when it was published by the publisher's clock (for proofs, which know no epoch). */
  cut?: { seq: number; at: number };
  /** The latest `hold`, lifted or not: credentials born before it stay dead. */
  pause?: number;
  /** Holds that are not lifted. */
  holds: number[];
  /** Milliseconds. From then on it may be forgotten, unless a hold remains. */
  until: number;
}

/** What is handed to the log. `until` follows from the selector: see `forgettableAt` in liveness.ts. */
export interface Publication {
  /** Names this publication for ever: publishing it again answers the same sequence number. */
  id: string;
  cause: Cause;
  selector: Selector;
  effect: Effect | 'lift';
  /** With `end`. */
  outcome?: Outcome;
  /** With `lift`: the sequence number of the hold. */
  lifts?: number;
  at: number;
  until: number;
  /** A hold's announced end; the sweep lifts it then. Milliseconds. */
  liftAt?: number;
  reason: string;
  ticket?: string;
  actor: string;
}

/** A publication as the log keeps it. */
export interface LogEntry extends Publication {
  seq: number;
  /** The tombstone this entry joined, as text; absent when there was none. Receipts are computed from it. */
  before?: string;
}

/** Stands for the sequence number that the store is about to assign. */
export const SEQ = '?';

/**
 * The text of the tombstone after `entry`, with `?` where its sequence number goes, or undefined when there is nothing to
 * publish: lifting what is not held. The store assigns the number and writes the text only if `before` is still there.
 */
export function join(before: string | undefined, entry: Publication): string | undefined {
  const old: Tombstone = before === undefined ? { holds: [], until: 0 } : parseTombstone(before);
  const until = Math.max(old.until, entry.until);
  switch (entry.effect) {
    case 'end':
      return format({
        ...write(old),
        ended: old.ended ? write(old).ended : `${SEQ}:${entry.outcome ?? 'revoked'}`,
        until,
      });
    case 'cutoff':
      return format({ ...write(old), cut: `${SEQ}@${entry.at}`, until });
    case 'hold':
      return format({ ...write(old), pause: SEQ, holds: [...old.holds.map(String), SEQ].join(','), until });
    case 'lift': {
      if (entry.lifts === undefined || !old.holds.includes(entry.lifts)) return undefined;
      return format({ ...write(old), holds: old.holds.filter((seq) => seq !== entry.lifts).join(','), until });
    }
    default:
      throw new Error('unknown effect');
  }
}

/** Parses `ended|cut|pause|holds|until`, each empty when absent. Throws on anything else: a log we cannot read is not one we trust. */
export function parseTombstone(text: string): Tombstone {
  const match = /^(?:(\d+):([a-z]+))?\|(?:(\d+)@(\d+))?\|(\d*)\|([\d,]*)\|(\d+)$/.exec(text);
  if (!match) throw new Error('malformed tombstone');
  const [, endedSeq, endedAs, cutSeq, cutAt, pause, holds, until] = match;
  return {
    ...(endedSeq && { ended: { seq: Number(endedSeq), as: endedAs as Outcome } }),
    ...(cutSeq && { cut: { seq: Number(cutSeq), at: Number(cutAt) } }),
    ...(pause && { pause: Number(pause) }),
    holds: holds ? holds.split(',').map(Number) : [],
    until: Number(until),
  };
}

interface Written {
  ended: string;
  cut: string;
  pause: string;
  holds: string;
  until: number;
}

const write = (tombstone: Tombstone): Written => ({
  ended: tombstone.ended ? `${tombstone.ended.seq}:${tombstone.ended.as}` : '',
  cut: tombstone.cut ? `${tombstone.cut.seq}@${tombstone.cut.at}` : '',
  pause: tombstone.pause === undefined ? '' : String(tombstone.pause),
  holds: tombstone.holds.join(','),
  until: tombstone.until,
});

const format = (w: Written): string => `${w.ended}|${w.cut}|${w.pause}|${w.holds}|${w.until}`;
