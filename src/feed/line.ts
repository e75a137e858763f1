/**
 * The latest entries of one generation of the log, each as the text that all subscribers get. A subscriber is a number in this
 * line and has no buffer of its own: one that is slow costs no memory, and is lost when its number is no longer kept.
 */
import { defined } from '../domain/defined.js';
import { formatEpoch } from '../domain/liveness.js';
import type { Cause } from '../domain/selector.js';
import { grown, tombstoneAfter, type Deadly, type LogEntry, type Tombstone } from '../domain/tombstone.js';
import { needsReceipt } from '../ledger/follow-receipts.js';
import { feedEvent } from '../protocol/feed.js';

/** About as much as a busy deployment publishes while a verifier connects anew. Some four megabytes. */
export const KEPT = 16_384;
/** What is handed to a connection at once. Its next part is made when the last one has gone. */
const CHUNK_CHARACTERS = 64 * 1024;

/** An entry as it was published: what its acknowledgement is measured by. */
export interface Published {
  seq: number;
  id: string;
  /** By the clock of the broker that published it. Milliseconds. */
  at: number;
  cause: Cause;
  /** Whether a receipt is kept of it. */
  hasReceipt: boolean;
}

export interface Line {
  readonly generation: string;
  /** The number of the latest entry. */
  head(): number;
  append(entries: readonly LogEntry[]): void;
  /** Returns whether every entry above `seq` is here, and `seq` itself was reached. */
  covers(seq: number): boolean;
  /** Returns whether an entry above `seq` is under one of the causes; yes where not all of them are kept. */
  concerns(causes: readonly Cause[], seq: number): boolean;
  /** Returns the events above `seq`, as many as go at once, and the number of the last; undefined where there is none. */
  after(seq: number): { text: string; seq: number } | undefined;
  /** Undefined: it is not kept, or not published yet. */
  published(seq: number): Published | undefined;
}

/** @param from The number before the first entry that will be appended. */
export function createLine(generation: string, from: number): Line {
  const events: (Published & { text: string })[] = [];
  let before = from;
  const head = () => before + events.length;
  return {
    generation,
    head,
    append(entries) {
      for (const entry of entries) events.push(eventOf(generation, entry));
      // Not one by one: taking from the front of an array moves all that is behind.
      if (events.length > 2 * KEPT) before += events.splice(0, events.length - KEPT).length;
    },
    covers: (seq) => seq >= before && seq <= head(),
    concerns(causes, seq) {
      if (seq < before || seq > head()) return true;
      for (let at = seq - before; at < events.length; at += 1)
        if (causes.includes(events[at]?.cause ?? '')) return true;
      return false;
    },
    after(seq) {
      let text = '';
      let next = seq;
      while (next < head() && text.length < CHUNK_CHARACTERS) text += events[next++ - before]?.text ?? '';
      return next === seq ? undefined : { text, seq: next };
    },
    published: (seq) => events[seq - before - 1],
  };
}

function eventOf(generation: string, entry: LogEntry) {
  const { seq, at, cause, id } = entry;
  const hasReceipt = needsReceipt(entry);
  const receipt = hasReceipt ? (true as const) : undefined;
  const data = defined({ seq, cause, tombstone: deadlyOf(tombstoneAfter(entry)), receipt });
  return { seq, id, at, cause, hasReceipt, text: feedEvent('revocation', data, formatEpoch({ generation, seq })) };
}

/** Returns what of the tombstone a verifier needs: no reason, no party, and not the clock of a cutoff. */
export const deadlyOf = (tombstone: Tombstone): Deadly => grown({ until: 0 }, tombstone);
