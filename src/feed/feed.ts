/**
 * The revocation feed of this process: who follows it, what ends a stream, and the look each second that everybody hears of.
 */
import { randomInt } from 'node:crypto';
import { BrokerError } from '../domain/errors.js';
import type { Epoch } from '../domain/liveness.js';
import type { Cause } from '../domain/selector.js';
import { MINUTE_MS } from '../domain/time.js';
import type { LogEntry } from '../domain/tombstone.js';
import { eachSettled } from '../ledger/each-settled.js';
import { needsReceipt } from '../ledger/follow-receipts.js';
import type { InformedVerifier } from '../ledger/known-by.js';
import type { Ledger } from '../ledger/ledger.js';
import type { FeedEnd } from '../protocol/feed.js';
import { acknowledge, type Acknowledgement } from './acknowledge.js';
import { createFollower } from './follow.js';
import { createSnapshots } from './snapshot.js';
import { streamTo, type Progress } from './stream.js';
import { createWaiting, type Waiting } from './waiting.js';
import { createWitness } from './witness.js';

/** Beyond these a subscriber is told to come later: each holds a connection. */
const FOLLOWERS_MAX = { all: 10_000, ofOneParty: 2_000 } as const;
/**
 * What one party may ask of the feed in a minute. Its instances all come again at once when a broker has ended, so each may; and
 * when much is revoked, each acknowledges once a second.
 */
export const FEED_PER_MINUTE = { streams: FOLLOWERS_MAX.ofOneParty, acknowledgements: 6_000 } as const;
/** Two clocks may drift apart by a tenth of a second in this time, and what has changed since the proof is asked again. */
const STREAM_MS = 10 * MINUTE_MS;
/** Whether a subscriber may still follow is asked so often, and at once when a revocation hits it. */
const ASK_AGAIN_MS = 30_000;
const ASKED_AT_ONCE = 16;
/** A connection that takes nothing for so long is closed: its verifier has long begun to refuse everything. */
const STUCK_MS = 10_000;
/** The log is followed for so long after the last subscriber has left, because verifiers come again. */
const IDLE_MS = MINUTE_MS;

export interface Subscription {
  /** Who follows. */
  party: string;
  /** Which of its instances, as it says. */
  instance?: string;
  /** The causes of the party: an entry on any of them makes `admit` be asked at once. */
  causes: readonly Cause[];
  /** The place of the last event that it has. */
  from?: Epoch;
  /** For how long its proof of identity is valid. Milliseconds. */
  validMs: number;
  /** Throws `access_denied` when the party may follow no more. */
  admit: () => Promise<unknown>;
}

interface Stream {
  texts: AsyncIterable<string>;
  /** Aborted when the connection is to be closed, whatever it has not taken yet. */
  cut: AbortSignal;
}

export interface Feed {
  /** Rejects when the log cannot be read now, or when too many follow. */
  subscribe(subscription: Subscription): Promise<Stream>;
  /** Returns how many entries were measured. Refuses what was never sent, and another generation. */
  acknowledge(ack: Acknowledgement): Promise<number>;
  /** See `Waiting`. */
  listen: Waiting['listen'];
  /** Looks at the log for everybody who follows, and ends what is to end. Rejects when the log could not be read. */
  beat(): Promise<void>;
  /** Ends all streams, and all waiting: who followed or waited comes again, to another broker. */
  close: () => void;
}

interface Subscriber extends Subscription {
  progress: Progress;
  cut: AbortController;
  endsAt: number;
  askAt: number;
}

interface FeedEvents {
  onFollowers: (count: number) => void;
  onWaiting: (count: number) => void;
  onEnd: (reason: FeedEnd | 'left' | 'stuck') => void;
  /** @param seconds From the publication until the verifier denied, at most. */
  onKnown: (verifier: string, seconds: number) => void;
}

/** Who follows. */
interface Room {
  subscribers: Set<Subscriber>;
  isClosed: boolean;
  events: FeedEvents;
}

export function openFeed(ledger: Ledger, events: FeedEvents): Feed {
  const { log, clock } = ledger;
  const room: Room = { subscribers: new Set(), isClosed: false, events };
  const { subscribers } = room;
  const witness = createWitness(ledger);
  let idleSince = clock.elapsed();

  const askAgain = async (whom: readonly Subscriber[]) =>
    whom.length > 0 ? admitAgain(whom, clock.elapsed()).finally(follower.ring) : undefined;
  const follower = createFollower(ledger, (line, entries) => {
    void askAgain(hitBy(entries, subscribers));
    const told = [...subscribers].map(nameOf);
    for (const { seq, cause } of entries.filter(needsReceipt))
      witness.note(line.published(seq), [...told, ...waiting.under(cause)]);
    waiting.hear(entries);
  });
  const waiting = createWaiting(follower, events.onWaiting);
  const snapshots = createSnapshots(log, follower, clock);

  return {
    async subscribe(subscription) {
      if (room.isClosed) throw later('This broker is about to end; follow another one.');
      assertRoom(subscribers, subscription.party);
      if (!follower.line()) await follower.look();
      const subscriber = begun(subscription, clock.elapsed());
      const texts = streamTo({ follower, snapshots, clock }, subscriber.progress, subscription.from);
      return { texts: counted(texts, subscriber, room), cut: subscriber.cut.signal };
    },
    listen: waiting.listen,
    acknowledge: (ack) => acknowledge({ clock, follower, witness, subscribers, ...events }, ack),
    async beat() {
      const now = clock.elapsed();
      endDue(subscribers, now);
      snapshots.forget();
      if (room.isClosed) return;
      const users = subscribers.size + waiting.count();
      if (users > 0) idleSince = now;
      else if (now - idleSince >= IDLE_MS) follower.stop();
      if (!follower.line() && users === 0) return;
      await follower.look();
      await Promise.all([witness.write(), askAgain([...subscribers].filter(({ askAt }) => now >= askAt))]);
    },
    close() {
      room.isClosed = true;
      for (const { progress } of subscribers) progress.end ??= 'closing';
      waiting.close();
      follower.stop();
    },
  };
}

const nameOf = ({ party, instance }: Subscriber): InformedVerifier =>
  instance === undefined ? { verifier: party } : { verifier: party, instance };

/** Counts a subscriber for as long as its stream is read. */
async function* counted(texts: AsyncIterable<string>, subscriber: Subscriber, room: Room): AsyncGenerator<string> {
  const { subscribers, events } = room;
  subscribers.add(subscriber);
  if (room.isClosed) subscriber.progress.end = 'closing';
  events.onFollowers(subscribers.size);
  try {
    yield* texts;
  } finally {
    subscribers.delete(subscriber);
    events.onFollowers(subscribers.size);
    events.onEnd(subscriber.cut.signal.aborted ? 'stuck' : (subscriber.progress.end ?? 'left'));
  }
}

const begun = (subscription: Subscription, now: number): Subscriber => ({
  ...subscription,
  progress: {},
  cut: new AbortController(),
  // They do not all come again in the same second.
  endsAt: now + Math.min(subscription.validMs, STREAM_MS - randomInt(MINUTE_MS)),
  askAt: now + ASK_AGAIN_MS,
});

/** Ends streams whose time is up, and closes connections that take nothing more. */
function endDue(subscribers: ReadonlySet<Subscriber>, now: number): void {
  for (const { progress, cut, endsAt } of subscribers) {
    if (now >= endsAt) progress.end ??= 'renew';
    if (now - (progress.stuckSince ?? now) >= STUCK_MS) cut.abort();
  }
}

/** Returns those whose own party a revocation hits: whoever is held hears nothing more. */
function hitBy(entries: readonly LogEntry[], subscribers: ReadonlySet<Subscriber>): Subscriber[] {
  const hit = new Set(entries.filter(({ effect }) => effect !== 'lift').map(({ cause }) => cause));
  return [...subscribers].filter(({ causes }) => causes.some((cause) => hit.has(cause)));
}

/** Asks whether these may still follow. A store that is away says nothing about them; then nobody hears a heartbeat either. */
const admitAgain = (whom: readonly Subscriber[], now: number): Promise<void> =>
  eachSettled(
    whom,
    async (subscriber) => {
      subscriber.askAt = now + ASK_AGAIN_MS;
      if (await subscriber.admit().then(() => false, isRefusal)) subscriber.progress.end ??= 'refused';
    },
    ASKED_AT_ONCE,
  );

const isRefusal = (error: unknown): boolean => error instanceof BrokerError && error.code === 'access_denied';

function assertRoom(subscribers: ReadonlySet<Subscriber>, party: string): void {
  const { all, ofOneParty } = FOLLOWERS_MAX;
  const own = [...subscribers].filter((subscriber) => subscriber.party === party).length;
  if (subscribers.size >= all || own >= ofOneParty) throw later('Too many verifiers follow this broker.');
}

const later = (text: string) => new BrokerError('temporarily_unavailable', text, { retryAfterSeconds: 1 });
