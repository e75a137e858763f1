/**
 * The text of the feed, read into events (WHATWG HTML §9.2). Whatever is not as docs/feed.md has it throws: a verifier that may
 * have missed something begins anew.
 */
import { isObject, readObject } from '../domain/json-object.js';
import type { Deadly } from '../domain/tombstone.js';
import type { FeedEvents } from '../protocol/feed.js';

/** An event as the belief takes it. */
export type Heard =
  | { event: 'hello'; data: FeedEvents['hello'] }
  | { event: 'snapshot' | 'complete'; data: FeedEvents['complete'] }
  | { event: 'tombstones'; data: [cause: string, tombstone: Deadly][] }
  | { event: 'revocation'; data: { seq: number; cause: string; tombstone: Deadly; receipt: boolean } }
  | { event: 'heartbeat'; data: FeedEvents['heartbeat'] }
  | { event: 'end'; data: { reason: string } };

/** The feed said something that this verifier does not understand, or left something out. */
export class FeedBroken extends Error {
  override name = 'FeedBroken';
}

/** A page of a snapshot has a thousand tombstones, some 100 KB. */
const EVENT_CHARACTERS_MAX = 4 * 1024 * 1024;

/** Returns a function that takes the next piece of the stream, and returns the events that are whole with it. */
export function createReader(): (text: string) => Heard[] {
  let rest = '';
  return (text) => {
    const parts = (rest + text).split('\n\n');
    rest = parts.pop() ?? '';
    if (rest.length > EVENT_CHARACTERS_MAX) throw new FeedBroken('an event of the feed is too large');
    return parts.map(eventIn).filter((heard) => heard !== undefined);
  };
}

function eventIn(text: string): Heard | undefined {
  let [event, data] = ['', ''];
  for (const line of text.split('\n')) {
    if (line.startsWith('event: ')) event = line.slice('event: '.length);
    else if (line.startsWith('data: ')) data += line.slice('data: '.length);
  }
  const read = Object.hasOwn(READERS, event) ? READERS[event as keyof typeof READERS] : undefined;
  // A newer broker may have more kinds of events.
  if (!read) return undefined;
  const heard = read(data);
  if (heard === undefined) throw new FeedBroken(`the feed has a ${event} that is malformed`);
  return heard;
}

const READERS: { [E in Heard['event']]: (text: string) => Heard | undefined } = {
  hello(text) {
    const at = readObject(text)?.['at'];
    return isNumber(at) ? { event: 'hello', data: { at } } : undefined;
  },
  snapshot: (text) => placed('snapshot', text),
  complete: (text) => placed('complete', text),
  heartbeat(text) {
    const data = readObject(text);
    const at = data?.['at'];
    const place = placeIn(data);
    return place && isNumber(at) ? { event: 'heartbeat', data: { ...place, at } } : undefined;
  },
  tombstones(text) {
    // A list of thousands: parsed here, because the depth and the sender are known.
    const pairs = parsed(text);
    const isPair = (pair: unknown): pair is [string, Deadly] =>
      Array.isArray(pair) && typeof pair[0] === 'string' && isTombstone(pair[1]);
    return Array.isArray(pairs) && pairs.every(isPair) ? { event: 'tombstones', data: pairs } : undefined;
  },
  revocation(text) {
    const { seq, cause, tombstone, receipt } = readObject(text) ?? {};
    if (!isNatural(seq) || typeof cause !== 'string' || !isTombstone(tombstone)) return undefined;
    return { event: 'revocation', data: { seq, cause, tombstone, receipt: receipt === true } };
  },
  end(text) {
    const reason = readObject(text)?.['reason'];
    return typeof reason === 'string' ? { event: 'end', data: { reason } } : undefined;
  },
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function placed(event: 'snapshot' | 'complete', text: string): Heard | undefined {
  const data = placeIn(readObject(text));
  return data && { event, data };
}

function placeIn(data: Readonly<Record<string, unknown>> | undefined): FeedEvents['complete'] | undefined {
  const { generation, seq } = data ?? {};
  return typeof generation === 'string' && isNatural(seq) ? { generation, seq } : undefined;
}

/** A part that is there must be understood, or a dead credential would live. */
function isTombstone(value: unknown): value is Deadly {
  if (!isObject(value) || !isNumber(value['until'])) return false;
  const { ended, cut, lastHold } = value;
  return (
    (ended === undefined || (isObject(ended) && isNatural(ended['seq']))) &&
    (cut === undefined || (isObject(cut) && isNatural(cut['seq']))) &&
    (lastHold === undefined || isNatural(lastHold))
  );
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isNatural = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
