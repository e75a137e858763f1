/**
 * The words of the revocation feed (docs/feed.md): what a verifier hears, as server-sent events. The broker writes them and
 * verifiers read them, so nothing here needs a library.
 */

/** What of a tombstone can end a credential. All of it only grows: joining it twice, or late, changes nothing. */
interface FeedTombstone {
  /** The first entry that ended the cause for good, and how. */
  ended?: { seq: number; as: string };
  /** The latest cutoff: what was born before it is dead. */
  cut?: { seq: number };
  /** The latest hold, lifted or not: credentials born before it are dead. */
  lastHold?: number;
  /** From then on nothing lives that this could end. Milliseconds since 1970. */
  until: number;
}

/** Why a stream ends. Each but `refused` says: come again, with the id of the last event. */
export const FEED_ENDS = ['renew', 'slow', 'closing', 'refused'] as const;
export type FeedEnd = (typeof FEED_ENDS)[number];

/** The bounds of one acknowledgement: about as many entries as are applied in a second, and how long one may have waited. */
export const ACKNOWLEDGED_MOST = 500;
export const WAITED_MS_MOST = 60_000;

/** A place in the log: everything up to the entry `seq` of this generation. */
interface FeedPlace {
  generation: string;
  seq: number;
}

/** The data of each event, by its name. */
export interface FeedEvents {
  /** First on every stream. `at`: milliseconds of the broker's own clock, which nobody can set; it means nothing elsewhere. */
  hello: { at: number };
  /** What was known counts no more: everything comes anew. */
  snapshot: FeedPlace;
  /** Part of it: causes, and what ends what hangs on them. */
  tombstones: [cause: string, tombstone: FeedTombstone][];
  /** The snapshot is whole: it has everything up to this place. */
  complete: FeedPlace;
  /** One entry of the log, and the tombstone that it left. `receipt`: a receipt is kept of it, so acknowledge it. */
  revocation: { seq: number; cause: string; tombstone: FeedTombstone; receipt?: true };
  /** Everything up to this place was written to this stream, and at `at` the log had nothing beyond it. */
  heartbeat: FeedPlace & { at: number };
  /** Last on a stream that the broker ends. */
  end: { reason: FeedEnd };
}

export type FeedEvent = keyof FeedEvents;

/** Returns an event as text (WHATWG HTML §9.2). `id` is what a reader that comes again sends as `Last-Event-ID`. */
export const feedEvent = <E extends FeedEvent>(event: E, data: FeedEvents[E], id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
