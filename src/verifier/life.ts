/** Whether a credential lives: a verifier knows it from the feed, or asks the broker. */
import { createHash } from 'node:crypto';
import { elapsed } from '../client/elapsed.js';
import { ask, asBearer, type Connection } from '../client/request.js';
import { createAcknowledger } from './acknowledge.js';
import { createBelief, type Belief } from './belief.js';
import type { Claims } from './claims.js';
import { VerificationError } from './errors.js';
import { followFeed, type Ended } from './follow.js';
import { ageOf, instant, type Instant } from './instant.js';

interface Life {
  /** Resolves if the credential lives. Throws a VerificationError. */
  assertAlive(token: string, claims: Claims): Promise<void>;
  /** The same at once, by what is known here. */
  problem(claims: Claims): VerificationError | undefined;
  /** The present time for `exp`: the later of what this host and the broker say. Milliseconds since 1970. */
  now(): number;
  isLive: () => boolean;
  /** Resolves with the next change of what is known. */
  changed: () => Promise<void>;
  close(): void;
}

/** What the feed does, for metrics and logs. */
export type FeedEventSeen =
  { is: 'live' } | ({ is: 'ended' } & Ended) | { is: 'revocation'; seq: number; tombstones: number };

interface FeedDeps {
  connection: Connection;
  instance: string;
  staleMs: number;
  onFeed: (seen: FeedEventSeen) => void;
  /** An entry was applied under this cause; without one, everything may be different. */
  onChange: (cause?: string) => void;
}

const FORGET_EACH_MS = 60_000;

// eslint-disable-next-line no-restricted-properties -- only for `exp`, and together with what the broker says.
const ownTime = (): number => Date.now();

export function lifeByFeed({ connection, instance, staleMs, onFeed, onChange }: FeedDeps): Life {
  const belief = createBelief({ clock: { now: instant, elapsed }, staleMs });
  const acknowledger = createAcknowledger(connection, instance);
  let wasLive = false;
  const feed = followFeed({
    connection,
    instance,
    belief,
    silenceMs: staleMs,
    onHeard(heard) {
      if (heard.event === 'revocation') {
        onChange(heard.data.cause);
        const { seq, receipt } = heard.data;
        acknowledger.note({ seq, receipt, generation: belief.place()?.generation ?? '' });
        onFeed({ is: 'revocation', seq, tombstones: belief.size() });
      }
      if (heard.event === 'complete') onChange();
      if (belief.isLive() && !wasLive) onFeed({ is: 'live' });
      wasLive = belief.isLive();
    },
    onEnd: (ended) => onFeed({ is: 'ended', ...ended }),
  });
  const forgetting = setInterval(() => forget(belief, feed.brokerTime()), FORGET_EACH_MS);
  forgetting.unref();
  const problem = (claims: Claims) => problemOf(belief, claims);
  return {
    problem,
    isLive: belief.isLive,
    changed: belief.changed,
    now: () => Math.max(ownTime(), feed.brokerTime() ?? 0),
    async assertAlive(_token, claims) {
      let found = problem(claims);
      // A credential may be shown here before the entry before its birth was heard.
      for (const since = instant(); found?.reason === 'unheard' && ageOf(since, instant()) < staleMs;) {
        await Promise.race([belief.changed(), tick()]);
        found = problem(claims);
      }
      if (found) throw found;
    },
    close() {
      feed.close();
      acknowledger.close();
      clearInterval(forgetting);
    },
  };
}

function problemOf(belief: Belief, claims: Claims): VerificationError | undefined {
  switch (belief.verdict(claims)) {
    case 'alive':
      return undefined;
    case 'dead':
      return new VerificationError('dead');
    case 'unborn':
      return new VerificationError('unheard');
    default:
      return new VerificationError('stale');
  }
}

/** By the earlier of two clocks: a wrong one must not make anything be forgotten that still ends something. */
function forget(belief: Belief, brokerTime: number | undefined): void {
  if (brokerTime !== undefined) belief.forget(Math.min(ownTime(), brokerTime));
}

/** While nothing is heard, the wait must end too. */
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 250));

/** What one answer of the broker is good for at most. */
const KEPT_MS_MAX = 10_000;
const ANSWERS_MAX = 10_000;
const PATIENCE_MS = 5_000;

/** @param keptMs how long a yes is believed, and so how long a revoked credential may still work */
export function lifeByAsking(connection: Connection, keptMs: number): Life {
  if (!(keptMs >= 0 && keptMs <= KEPT_MS_MAX)) throw new TypeError(`cacheMs must be 0 to ${KEPT_MS_MAX}`);
  const answers = new Map<string, { at: Instant; active: Promise<boolean> }>();

  /** A token that says more than the one that was asked about must not share its answer: the key is of the whole text. */
  function isActive(token: string): Promise<boolean> {
    const key = createHash('sha256').update(token).digest('base64url');
    const known = answers.get(key);
    if (known && ageOf(known.at, instant()) < keptMs) return known.active;
    const asked = { at: instant(), active: askWhetherActive(connection, token) };
    if (answers.size >= ANSWERS_MAX) answers.clear();
    if (keptMs > 0) answers.set(key, asked);
    // A no is no end of the question: policy may let us ask a moment later.
    const drop = () => answers.get(key) === asked && answers.delete(key);
    asked.active.then((active) => active || drop(), drop);
    return asked.active;
  }

  return {
    problem: () => undefined,
    isLive: () => true,
    changed: () => Promise.resolve(),
    now: ownTime,
    async assertAlive(token) {
      if (!(await isActive(token))) throw new VerificationError('dead');
    },
    close: () => answers.clear(),
  };
}

async function askWhetherActive(connection: Connection, token: string): Promise<boolean> {
  const prove = asBearer({ body: new URLSearchParams({ token }) });
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = await ask(connection, { path: '/introspect', prove, signal }).catch((cause: unknown) => {
    throw new VerificationError('broker', { cause });
  });
  return answer['active'] === true;
}
