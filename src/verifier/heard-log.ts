/** What was heard of the revocation log: everything up to one place in it. How long ago that was true is not asked here. */
import { FORGET_MARGIN_MS } from '../domain/limits.js';
import { death, formatEpoch, orderOf, parseEpoch, type Epoch } from '../domain/liveness.js';
import { grown, type Deadly } from '../domain/tombstone.js';
import { FeedBroken, type Heard } from './feed-events.js';

/** `unborn`: its birth is in a part of the log that has not come yet. `unknown`: nothing may be believed now. */
type Verdict = 'alive' | 'dead' | 'unborn' | 'unknown';

/** Of a credential, what its life depends on. */
interface Mortal {
  epoch: string;
  causes: readonly string[];
}

export interface HeardLog {
  /** Applies an event. Throws FeedBroken where something is missing before it. */
  apply: (heard: Heard) => void;
  /** Everything must come anew. */
  lose: () => void;
  /** Everything up to here was applied. */
  place: () => Epoch | undefined;
  verdict: (mortal: Mortal) => Verdict;
  /** Forgets what ended nothing since long, with a margin, because clocks differ. @param now a time that is not too late. Milliseconds since 1970. */
  forget: (now: number) => void;
  /** How many tombstones are kept. */
  size: () => number;
}

export function createHeardLog(): HeardLog {
  let kept = new Map<string, Deadly>();
  let place: Epoch | undefined;
  /** A snapshot that is not whole yet. */
  let coming: { generation: string; tombstones: Map<string, Deadly> } | undefined;

  function apply(heard: Heard): void {
    switch (heard.event) {
      case 'snapshot':
        place = undefined;
        coming = { generation: heard.data.generation, tombstones: new Map() };
        break;
      case 'tombstones':
        if (!coming) throw new FeedBroken('the feed has left the begin of a snapshot out');
        for (const [cause, tombstone] of heard.data) join(coming.tombstones, cause, tombstone);
        break;
      case 'complete':
        if (coming?.generation !== heard.data.generation) throw new FeedBroken('the feed ends another snapshot');
        [kept, coming, place] = [coming.tombstones, undefined, heard.data];
        break;
      case 'revocation': {
        const { seq, cause, tombstone } = heard.data;
        if (!place || seq > place.seq + 1) throw new FeedBroken('the feed has left an entry out');
        join(kept, cause, tombstone);
        place = { ...place, seq: Math.max(seq, place.seq) };
        break;
      }
      case 'heartbeat':
        if (!place || formatEpoch(heard.data) !== formatEpoch(place))
          throw new FeedBroken('the feed has left an entry out');
        break;
      default:
    }
  }

  return {
    apply,
    lose: () => void ([place, coming] = [undefined, undefined]),
    place: () => place,
    verdict: ({ epoch, causes }) =>
      place
        ? verdictAt(
            place,
            parseEpoch(epoch),
            causes.map((one) => kept.get(one)),
          )
        : 'unknown',
    forget(now) {
      for (const [cause, { until }] of kept) if (until + FORGET_MARGIN_MS < now) kept.delete(cause);
    },
    size: () => kept.size,
  };
}

function verdictAt(place: Epoch, born: Epoch, tombstones: readonly (Deadly | undefined)[]): Verdict {
  if (orderOf(born.generation) > orderOf(place.generation)) return 'unborn';
  if (death('credential', born, place.generation, tombstones)) return 'dead';
  return born.seq > place.seq ? 'unborn' : 'alive';
}

const join = (into: Map<string, Deadly>, cause: string, tombstone: Deadly): void =>
  void into.set(cause, grown(into.get(cause), tombstone));
