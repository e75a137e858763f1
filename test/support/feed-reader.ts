/**
 * A verifier's end of the feed, as docs/feed.md describes it: it keeps tombstones under their causes, and says that it is live
 * only while it may believe them. The broker's own `death` decides over what it keeps.
 */
import { once } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { death, formatEpoch, parseEpoch } from '../../src/domain/liveness.js';
import { grown, type Deadly } from '../../src/domain/tombstone.js';
import type { FeedEvent, FeedEvents } from '../../src/protocol/feed.js';
import { until } from './until.js';

export type Heard = { [E in FeedEvent]: { event: E; id: string | undefined; data: FeedEvents[E] } }[FeedEvent];

export interface FeedReader {
  /** Everything heard so far. */
  heard: Heard[];
  status: number;
  headers: IncomingHttpHeaders;
  response: IncomingMessage;
  /** The id that a new stream is to go on from. */
  lastId(): string | undefined;
  /** Whether what is kept may be believed: complete, without a hole, and confirmed since. */
  isLive(): boolean;
  /** The place up to which everything was applied. */
  applied(): { generation: string; seq: number } | undefined;
  /** Whether a credential with this epoch and these causes is dead, by what is kept. */
  isDead: (credential: { epoch: string; causes: readonly string[] }) => boolean;
  /** Resolves when something of this kind was heard, of all or after so many. */
  hears<E extends FeedEvent>(event: E, from?: number): Promise<FeedEvents[E]>;
  /** Resolves when the stream is over; with the mistake, where it broke off or was wrong. */
  ended: Promise<unknown>;
  leave(): void;
}

export interface Follow {
  url: string;
  bearer: string;
  lastEventId?: string | undefined;
  query?: string;
}

/** Over node:http: `fetch` opens another connection when it is aborted, and a broker that ends waits for that one. */
export async function follow({ url, bearer, lastEventId, query = '' }: Follow): Promise<FeedReader> {
  const headers = {
    authorization: `Bearer ${bearer}`,
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  };
  const asked = get(`${url}/revocations/feed${query}`, { headers, agent: false });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const state = createState(lastEventId);
  const ended = response.statusCode === 200 ? read(response, state.take) : Promise.resolve();
  return {
    ...state,
    status: response.statusCode ?? 0,
    headers: response.headers,
    response,
    ended: ended.catch((error: unknown) => (error as Error).message),
    leave: () => void asked.destroy(),
    async hears(event, from = 0) {
      const found = () => state.heard.slice(from).find((one) => one.event === event);
      await until(() => found() !== undefined, `no ${event}`);
      return found()?.data as never;
    },
  };
}

async function read(body: IncomingMessage, take: (heard: Heard) => void): Promise<void> {
  let rest = '';
  for await (const text of body.setEncoding('utf8')) {
    const parts = (rest + String(text)).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) take(parsed(part));
  }
}

function parsed(text: string): Heard {
  const fields = new Map(
    text.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
  const data: unknown = JSON.parse(fields.get('data') ?? '');
  return { event: fields.get('event'), id: fields.get('id'), data } as Heard;
}

function createState(lastEventId: string | undefined) {
  const heard: Heard[] = [];
  let kept = new Map<string, Deadly>();
  let place = /^[\w-]+\.\d+$/.test(lastEventId ?? '') ? parseEpoch(lastEventId ?? '') : undefined;
  let coming = new Map<string, Deadly>();
  let live = false;
  const join = (into: Map<string, Deadly>, cause: string, tombstone: FeedEvents['revocation']['tombstone']) =>
    into.set(cause, grown(into.get(cause), tombstone as Deadly));

  function take(one: Heard): void {
    heard.push(one);
    switch (one.event) {
      case 'snapshot':
        [coming, place, live] = [new Map<string, Deadly>(), undefined, false];
        break;
      case 'tombstones':
        for (const [cause, tombstone] of one.data) join(coming, cause, tombstone);
        break;
      case 'complete':
        [kept, place] = [coming, one.data];
        break;
      case 'revocation':
        if (!place || one.data.seq !== place.seq + 1) throw new Error(`a hole before ${one.data.seq}`);
        join(kept, one.data.cause, one.data.tombstone);
        place = { ...place, seq: one.data.seq };
        break;
      case 'heartbeat': {
        const { generation, seq } = one.data;
        if (!place || formatEpoch(place) !== formatEpoch({ generation, seq })) throw new Error('a hole');
        live = true;
        break;
      }
      default:
    }
  }

  return {
    heard,
    take,
    lastId: () => (place ? formatEpoch(place) : undefined),
    isLive: () => live,
    applied: () => place,
    isDead: ({ epoch, causes }: { epoch: string; causes: readonly string[] }) =>
      death(
        'credential',
        parseEpoch(epoch),
        place?.generation ?? '',
        causes.map((cause) => kept.get(cause)),
      ) !== undefined,
  };
}
