/** The entrance of the verifier: a broker, the API that this process is, and how it knows what is dead. */
import os from 'node:os';
import { brokerOrigin, type Connection, type IdentitySource } from '../client/request.js';
import { covers, scopeOf, type Claims, type Needed } from './claims.js';
import { VerificationError, type VerificationReason } from './errors.js';
import { createKeys } from './keys.js';
import { lifeByAsking, lifeByFeed, type FeedEventSeen } from './life.js';
import { readToken } from './token.js';
import { createWatchers, type OnDead } from './watchers.js';

export interface VerifierOptions {
  /** `issuer` of the broker's configuration, byte for byte. */
  issuer: string;
  /** This API: `resource` of its target in the broker's configuration. */
  audience: string;
  /** The identity token of this API, which shows the broker who follows or asks. */
  identity: IdentitySource;
  /** Where the broker is reached, if not at its issuer: an origin, https or loopback. */
  url?: string;
  /**
   * How it knows what is dead. `feed` (default): it hears of it; needs `followFeed` in policy. `introspection`: it asks about each
   * token; needs `introspect` on the target.
   */
  by?: 'feed' | 'introspection';
  /** With `feed`: after so long without knowing for sure it refuses everything. Milliseconds, 2,000 to 30,000; default 5,000. */
  staleMs?: number;
  /** With `introspection`: for how long a yes is believed. Milliseconds, at most 10,000; default 1,000. */
  cacheMs?: number;
  /** Which of the instances of this API it is; default: the name of the host. */
  instance?: string;
  fetch?: typeof fetch;
  /** For metrics and logs. It must not throw. */
  observe?: (seen: Seen) => void;
}

/** Each decision, and what the feed does. */
export type Seen = { is: 'decision'; refused: VerificationReason | undefined } | FeedEventSeen;

export interface Verifier {
  readonly issuer: string;
  readonly audience: string;
  /**
   * Returns the claims of a credential that is for this API, lives now, and covers what is needed.
   * @throws VerificationError with the status 401, 403 or 503
   */
  verify(token: string, needed?: Needed): Promise<Claims>;
  /** Throws a VerificationError unless verified claims still hold, and cover what is needed: for each step of longer work. */
  check(claims: Claims, needed?: Needed): void;
  /**
   * Calls once, when the credential is not to be used any more: revoked, expired, or the feed is not heard. Returns how to stop.
   * By introspection, only its expiry is noticed.
   */
  onRevoked: (claims: Claims, onDead: OnDead) => () => void;
  /** Resolves when the verifier can decide: by the feed, when it has everything. */
  ready(): Promise<void>;
  /** Whether it can decide now: for a readiness probe. */
  isReady: () => boolean;
  /** Leaves the feed. */
  close(): void;
}

const TIMEOUT_MS = 5_000;
const DEFAULT_CACHE_MS = 1_000;
const DEFAULT_STALE_MS = 5_000;
/** Heartbeats come each second; and what was revoked must not work for much longer because a connection is gone. */
const STALE_MS = { least: 2_000, most: 30_000 } as const;

export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, audience, by = 'feed', cacheMs = DEFAULT_CACHE_MS, observe = () => undefined } = options;
  const { url = issuer, identity, fetch = globalThis.fetch, instance = os.hostname().slice(0, 64) } = options;
  const { staleMs = DEFAULT_STALE_MS } = options;
  if (!(staleMs >= STALE_MS.least && staleMs <= STALE_MS.most))
    throw new TypeError(`staleMs must be ${STALE_MS.least} to ${STALE_MS.most}`);
  const connection: Connection = { url: brokerOrigin(url), identity, fetch, timeoutMs: TIMEOUT_MS };
  const life =
    by === 'feed'
      ? lifeByFeed({ connection, instance, staleMs, onFeed: observe, onChange: (cause) => watchers.look(cause) })
      : lifeByAsking(connection, cacheMs);
  const problem = (claims: Claims): VerificationError | undefined =>
    claims.exp * 1000 <= life.now() ? new VerificationError('expired') : life.problem(claims);
  const watchers = createWatchers(problem);
  const expected = { issuer, audience, keys: createKeys(connection.url, fetch) };

  async function verify(token: string, needed?: Needed): Promise<Claims> {
    const claims = await readToken(token, expected, life.now());
    await life.assertAlive(token, claims);
    if (needed) assertCovers(claims, needed);
    return claims;
  }

  return {
    issuer,
    audience,
    async verify(token, needed) {
      try {
        const claims = await verify(token, needed);
        observe({ is: 'decision', refused: undefined });
        return claims;
      } catch (error) {
        if (error instanceof VerificationError) observe({ is: 'decision', refused: error.reason });
        throw error;
      }
    },
    check(claims, needed) {
      const found = problem(claims);
      if (found) throw found;
      if (needed) assertCovers(claims, needed);
    },
    onRevoked: watchers.watch,
    isReady: life.isLive,
    async ready() {
      while (!life.isLive()) await life.changed();
    },
    close() {
      life.close();
      watchers.close();
    },
  };
}

function assertCovers(claims: Claims, needed: Needed): void {
  if (covers(claims, needed)) return;
  throw new VerificationError('access', { scope: scopeOf(needed) });
}
