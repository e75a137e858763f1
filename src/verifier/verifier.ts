/** The entrance of the verifier: a broker, the API that this process is, and how it knows what is dead. */
import os from 'node:os';
import { brokerOrigin, type Connection, type IdentitySource } from '../client/request.js';
import { covers, scopeOf, type Claims, type Needed } from './claims.js';
import { VerificationError, type VerificationReason } from './errors.js';
import { createKeys } from './keys.js';
import { lifeByAsking, lifeByFeed, type FeedEventSeen } from './life.js';
import { readToken } from './token.js';
import { createUsageReporter } from './usage.js';
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
  /**
   * Whether it tells the broker which uses it let pass and which it denied; needs `reportUsage` on the target. true: whatever is
   * verified or checked together with what it needs; false: nothing. Default: what guardTool() checks.
   */
  reportUsage?: boolean;
  fetch?: typeof fetch;
  /** For metrics and logs. It must not throw. Without it, the end of the feed is a warning of the process (`process.emitWarning`). */
  observe?: (seen: Seen) => void;
}

/** Each decision of `verify` and `check`, what the feed does, and uses that the broker could not be told. */
export type Seen =
  | { is: 'decision'; refused: VerificationReason | undefined }
  | FeedEventSeen
  | { is: 'untold'; uses: number; why: string };

export interface Verifier {
  readonly issuer: string;
  readonly audience: string;
  /**
   * Returns the claims of a credential that is for this API, lives now, and covers what is needed.
   * @throws VerificationError with the status 401, 403 or 503
   */
  verify(token: string, needed?: Needed): Promise<Claims>;
  /**
   * Throws a VerificationError unless verified claims still hold, and cover what is needed: for each step of longer work.
   * @param how `report`: whether it is reported as a use where `reportUsage` was left out; default: no
   */
  check(claims: Claims, needed?: Needed, how?: { report: boolean }): void;
  /**
   * Calls once, when the credential is not to be used any more: revoked, expired, or the feed is not heard. Returns how to stop.
   * By introspection, only its expiry is noticed.
   */
  onRevoked: (claims: Claims, onDead: OnDead) => () => void;
  /** Resolves when the verifier can decide: by the feed, when it has everything. */
  ready(): Promise<void>;
  /** Whether it can decide now: for a readiness probe. */
  isReady: () => boolean;
  /**
   * Leaves the feed, and sends the last report without waiting for its answer. From then on nothing is heard: after `staleMs` everything
   * is refused, and work that still runs is cut.
   */
  close(): void;
}

const TIMEOUT_MS = 5_000;
const DEFAULT_CACHE_MS = 1_000;
const DEFAULT_STALE_MS = 5_000;
/** Heartbeats come each second; and what was revoked must not work for much longer because a connection is gone. */
const STALE_MS = { least: 2_000, most: 30_000 } as const;

export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, audience, by = 'feed', cacheMs = DEFAULT_CACHE_MS, observe = warnsOfFeed() } = options;
  const { url = issuer, identity, fetch = globalThis.fetch, instance = os.hostname().slice(0, 64) } = options;
  const staleMs = checkedStaleMs(options.staleMs);
  const { reportUsage } = options;
  const connection: Connection = { url: brokerOrigin(url), identity, fetch, timeoutMs: TIMEOUT_MS };
  const life =
    by === 'feed'
      ? lifeByFeed({ connection, instance, staleMs, onFeed: observe, onChange: (cause) => watchers.look(cause) })
      : lifeByAsking(connection, cacheMs);
  const problem = (claims: Claims): VerificationError | undefined =>
    claims.exp * 1000 <= life.now() ? new VerificationError('expired') : life.problem(claims);
  const watchers = createWatchers(problem);
  const expected = { issuer, audience, keys: createKeys(connection.url, fetch) };
  const usage = createUsageReporter(connection, audience, (untold) => observe({ is: 'untold', ...untold }));

  async function verify(token: string, needed?: Needed): Promise<Claims> {
    const claims = await readToken(token, expected, life.now());
    const error = await life.assertAlive(token, claims).then(() => undefined, asRefusal);
    const found = decided(claims, needed, { error, isReported: reportUsage ?? false });
    if (found) throw found;
    return claims;
  }

  /** Returns the error, or another one where the claims do not cover what is needed. */
  function decided(claims: Claims, needed: Needed | undefined, { error, isReported }: Decided) {
    const found = error ?? accessProblem(claims, needed);
    // With 503 nobody knows: that is no denial.
    if (needed && isReported && found?.status !== 503) usage.note(claims, needed, !found);
    return found;
  }

  return {
    issuer,
    audience,
    verify: (token, needed) => observed(observe, verify(token, needed)),
    check(claims, needed, { report } = { report: false }) {
      const found = decided(claims, needed, { error: problem(claims), isReported: reportUsage ?? report });
      observe({ is: 'decision', refused: found?.reason });
      if (found) throw found;
    },
    onRevoked: watchers.watch,
    isReady: life.isLive,
    async ready() {
      while (!life.isLive()) await life.changed();
    },
    close() {
      life.close();
      usage.close();
      watchers.close();
    },
  };
}

async function observed(observe: (seen: Seen) => void, decision: Promise<Claims>): Promise<Claims> {
  try {
    const claims = await decision;
    observe({ is: 'decision', refused: undefined });
    return claims;
  } catch (error) {
    if (error instanceof VerificationError) observe({ is: 'decision', refused: error.reason });
    throw error;
  }
}

interface Decided {
  /** Why the credential does not hold, whatever is needed. */
  error: VerificationError | undefined;
  isReported: boolean;
}

function asRefusal(error: unknown): VerificationError {
  if (error instanceof VerificationError) return error;
  throw error;
}

function checkedStaleMs(staleMs = DEFAULT_STALE_MS): number {
  if (staleMs >= STALE_MS.least && staleMs <= STALE_MS.most) return staleMs;
  throw new TypeError(`staleMs must be ${STALE_MS.least} to ${STALE_MS.most}`);
}

function accessProblem(claims: Claims, needed?: Needed): VerificationError | undefined {
  if (!needed || covers(claims, needed)) return undefined;
  return new VerificationError('access', { scope: scopeOf(needed) });
}

/** Whoever sets this up for the first time would otherwise see nothing but 503. Says the same thing once until the feed is heard. */
function warnsOfFeed(): (seen: Seen) => void {
  let said: string | undefined;
  return (seen) => {
    if (seen.is === 'live') said = undefined;
    if (seen.is !== 'ended' || seen.why === said) return;
    said = seen.why;
    process.emitWarning(`The revocation feed is not followed: ${seen.why}.`, 'MayflyWarning');
  };
}
