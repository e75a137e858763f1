/**
 * The tombstone: what the log stores under one cause. Publications are joined into it: each adds to the tombstone and removes
 * nothing, except that a lift removes one hold. Both stores apply the join that is written here.
 */
import { defined } from './defined.js';
import type { Cause, Effect, Selector } from './selector.js';
import type { RequestTrace } from './request-trace.js';
import type { Outcome } from './task-outcome.js';

export interface Tombstone {
  /** The first `end`. Later ones change nothing. */
  ended?: { seq: number; as: Outcome };
  /** The latest `cutoff`. `at` is by the publisher's clock and serves proofs of identity, which have no epoch. */
  cut?: { seq: number; at: number };
  /** The number of the latest `hold`, lifted or not: credentials that were born before it stay dead. */
  lastHold?: number;
  /** The numbers of the holds that are not lifted. */
  holds: number[];
  /** From then on the tombstone may be forgotten, unless a hold is in force. Milliseconds. */
  until: number;
}

/** A change for the log to publish. `until` follows from the selector: see `forgettableAt` in liveness.ts. */
export interface Publication extends Partial<RequestTrace> {
  /** Publishing the same id again changes nothing and returns the first sequence number. */
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
  /** With `hold`: the moment at which the sweep lifts it, if one was named. Milliseconds. */
  liftAt?: number;
  reason: string;
  ticket?: string;
  actor: string;
  /**
   * The reaction that placed it, by name. Only a reaction can have this written, also one that a person confirmed. Ticket and
   * reason prove nothing: whoever may revoke writes what they like there.
   */
  reaction?: string;
  /** Who reported what the reaction acted on: `source` of a signal. */
  source?: string;
  /** Whether the publisher knew anything by this selector; absent where that was not asked or not known. */
  seen?: boolean;
}

/** A publication as the log stores it. */
export interface LogEntry extends Publication {
  seq: number;
  /** The tombstone before this entry was joined into it, as text; absent if there was none. Receipts are computed from it. */
  before?: string;
}

/**
 * What of a tombstone can end something. All of it only grows: so two readings of one tombstone, by whichever way they came,
 * are joined in any order and as often as one likes.
 */
export interface Deadly extends Pick<Tombstone, 'ended' | 'lastHold' | 'until'> {
  cut?: Pick<NonNullable<Tombstone['cut']>, 'seq'>;
}

/** Returns what both readings of one tombstone say together. */
export function grown(one: Deadly | undefined, other: Deadly): Deadly {
  if (one === undefined) return other;
  const [ended] = [one.ended, other.ended].filter((end) => end !== undefined).sort((a, b) => a.seq - b.seq);
  const [cut, lastHold] = [laterOf(one.cut?.seq, other.cut?.seq), laterOf(one.lastHold, other.lastHold)];
  const until = Math.max(one.until, other.until);
  return defined({ ended, cut: cut === undefined ? undefined : { seq: cut }, lastHold, until });
}

const laterOf = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);

/** The placeholder for the sequence number that the store is about to assign. */
export const SEQ = '?';

/**
 * Returns the text of the tombstone after `entry`, with `?` in the place of its sequence number. Returns undefined if there is
 * nothing to publish, because the hold that it lifts is not in force. The store assigns the number, and writes the text only if
 * the tombstone is still `before`.
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
      return format({ ...write(old), lastHold: SEQ, holds: [...old.holds.map(String), SEQ].join(','), until });
    case 'lift': {
      if (entry.lifts === undefined || !old.holds.includes(entry.lifts)) return undefined;
      return format({ ...write(old), holds: old.holds.filter((seq) => seq !== entry.lifts).join(','), until });
    }
    default:
      throw new Error('unknown effect');
  }
}

/** Returns the tombstone that `join` wrote, with the number that the store has now assigned. */
export const numbered = (joined: string, seq: number): string => joined.replaceAll(SEQ, String(seq));

/** Returns the tombstone of an entry's cause right after that entry. */
export function tombstoneAfter(entry: LogEntry): Tombstone {
  const joined = join(entry.before, entry);
  // The store has appended the entry, so there was something to publish.
  if (joined === undefined) throw new Error('an entry that published nothing');
  return parseTombstone(numbered(joined, entry.seq));
}

/**
 * Parses `ended|cut|lastHold|holds|until`, in which an absent part is empty. Throws on anything else, so that an unreadable log
 * revives nothing.
 */
export function parseTombstone(text: string): Tombstone {
  const match = /^(?:(\d+):([a-z]+))?\|(?:(\d+)@(\d+))?\|(\d*)\|([\d,]*)\|(\d+)$/.exec(text);
  if (!match) throw new Error('malformed tombstone');
  const [, endedSeq, endedAs, cutSeq, cutAt, lastHold, holds, until] = match;
  return {
    ...(endedSeq && { ended: { seq: Number(endedSeq), as: endedAs as Outcome } }),
    ...(cutSeq && { cut: { seq: Number(cutSeq), at: Number(cutAt) } }),
    ...(lastHold && { lastHold: Number(lastHold) }),
    holds: holds ? holds.split(',').map(Number) : [],
    until: Number(until),
  };
}

interface Written {
  ended: string;
  cut: string;
  lastHold: string;
  holds: string;
  until: number;
}

const write = (tombstone: Tombstone): Written => ({
  ended: tombstone.ended ? `${tombstone.ended.seq}:${tombstone.ended.as}` : '',
  cut: tombstone.cut ? `${tombstone.cut.seq}@${tombstone.cut.at}` : '',
  lastHold: tombstone.lastHold === undefined ? '' : String(tombstone.lastHold),
  holds: tombstone.holds.join(','),
  until: tombstone.until,
});

const format = (w: Written): string => `${w.ended}|${w.cut}|${w.lastHold}|${w.holds}|${w.until}`;
