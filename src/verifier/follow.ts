/** The connection to the revocation feed: it comes again for ever, and each time at a moment of its own. */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { elapsed } from '../client/elapsed.js';
import { MayflyError } from '../client/errors.js';
import { tokenFrom, type Connection } from '../client/request.js';
import type { Belief } from './belief.js';
import { createReader, FeedBroken, type Heard } from './feed-events.js';
import { instant, type Instant } from './instant.js';

/** Longer waits between attempts would not spare the broker much, and delay the return of the API. */
const PAUSE_MS_MAX = 5_000;
/** The broker ended the stream in good order: all whom it sent away come back spread over this. */
const RETURN_MS_MAX = 1_000;
/** No key, no permit, a hold: only people can mend that. */
const REFUSED_MS = [5_000, 10_000] as const;

/** The answers that shut this API out, and why. */
const HINTS: Record<number, string> = {
  401: ', because it does not accept the identity of this API',
  403: ', because no policy permits this API `followFeed`, or because it is held',
};

interface FollowDeps {
  connection: Connection;
  /** Which instance this is, for receipts of revocations. */
  instance: string;
  belief: Belief;
  /** A stream that says nothing for so long is left. Milliseconds. */
  silenceMs: number;
  onHeard: (heard: Heard) => void;
  /** Each time that a stream has ended. */
  onEnd: (ended: Ended) => void;
}

export interface Ended {
  why: string;
  /** The broker shuts this API out: only people can mend that. False: coming again may help. */
  isRefused: boolean;
}

interface Follower {
  /** The time by the broker's clock, as it said when the stream began. Milliseconds since 1970; undefined: not heard yet. */
  brokerTime(): number | undefined;
  close(): void;
}

/** How a stream ended: what to wait for before the next one. */
type End = 'again' | 'refused' | 'failed';

export function followFeed(deps: FollowDeps): Follower {
  const closing = new AbortController();
  let told: { time: number; at: Instant } | undefined;

  async function run(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted;) {
      const end = await followOnce(deps, closing.signal, (time) => (told = { time, at: instant() }));
      failures = end === 'failed' ? failures + 1 : 0;
      await pause(pauseAfter(end, failures), undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }
  void run();
  return {
    brokerTime: () => told && told.time + (instant().running - told.at.running),
    close: () => closing.abort(),
  };
}

/** Returns milliseconds. Full jitter: after a failover, a thousand verifiers do not come in the same moment. */
export function pauseAfter(end: End, failures: number): number {
  if (end === 'refused') return randomInt(...REFUSED_MS);
  const most = end === 'again' ? RETURN_MS_MAX : Math.min(PAUSE_MS_MAX, 250 * 2 ** Math.min(failures, 10));
  return randomInt(20, most);
}

async function followOnce(deps: FollowDeps, closed: AbortSignal, onTime: (time: number) => void): Promise<End> {
  const { belief, onHeard, connection } = deps;
  const ended = (end: End, why: string): End => {
    if (!closed.aborted) deps.onEnd({ why, isRefused: end === 'refused' });
    return end;
  };
  const silence = createSilence(deps.silenceMs);
  const signal = AbortSignal.any([closed, silence.signal]);
  let last: Heard | undefined;
  try {
    const response = await open(deps, signal);
    if (response.status !== 200) {
      await response.body?.cancel();
      if (response.status === 401) connection.identity.forget?.();
      const hint = HINTS[response.status];
      return ended(hint === undefined ? 'failed' : 'refused', `the broker answers ${response.status}${hint ?? ''}`);
    }
    onTime(timeOf(response));
    const read = createReader();
    const decoder = new TextDecoder();
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      silence.broken();
      for (const heard of read(decoder.decode(piece, { stream: true }))) {
        last = heard;
        belief.take(heard);
        onHeard(heard);
      }
    }
    if (last?.event !== 'end') return ended('failed', 'broken off');
    const { reason } = last.data;
    return ended(reason === 'refused' ? 'refused' : 'again', reason);
  } catch (error) {
    if (error instanceof FeedBroken) belief.lose();
    return ended('failed', silence.signal.aborted ? 'silence' : reasonOf(error));
  } finally {
    silence.end();
  }
}

/** Errors of `fetch` may quote an address of the user's network; those written here do not. */
const reasonOf = (error: unknown): string =>
  error instanceof FeedBroken || error instanceof MayflyError ? error.message : 'no connection';

async function open({ connection, belief, instance }: FollowDeps, signal: AbortSignal): Promise<Response> {
  const { url, identity, fetch } = connection;
  const bearer = await tokenFrom(identity, 'workload');
  const lastEventId = belief.lastEventId();
  belief.begin(elapsed());
  return fetch(`${url}/revocations/feed?instance=${encodeURIComponent(instance)}`, {
    redirect: 'manual',
    signal,
    headers: {
      Accept: 'text/event-stream',
      Authorization: `Bearer ${bearer}`,
      ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }),
    },
  });
}

/** Every server with a clock says its time (RFC 9110 §6.6.1). What does not is not the broker. */
function timeOf({ headers }: Response): number {
  const time = Date.parse(headers.get('date') ?? '');
  const isFeed = headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (Number.isNaN(time) || !isFeed) throw new FeedBroken('what answers is not the feed of a broker');
  return time;
}

/** A connection whose other end is gone is not closed by anybody. Heartbeats come each second, so silence tells. */
function createSilence(ms: number) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, broken: () => void timer.refresh(), end: () => clearTimeout(timer) };
}
