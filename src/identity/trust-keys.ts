/**
 * Caches the keys of one issuer. They are read at first use, again when they are no longer fresh, and early when a token was
 * signed by none of them. At most one read runs at a time. Why not jose.createRemoteJWKSet: docs/decisions/0015.
 */
import { ConfigError } from '../config/problem.js';
import { BrokerError } from '../domain/errors.js';
import type { Clock } from '../domain/time.js';
import { type KeySet, readKeySet } from './key-set.js';
import type { KeySource } from './key-source.js';

export interface TrustKeys {
  /**
   * Returns the key set to verify with now. When there is none it throws `temporarily_unavailable`, or `server_error` where the
   * source does not fit the configuration.
   */
  current(): Promise<KeySet>;
  /** Returns the key set after a token fitted no known key: read again, unless that must wait (`missPauseMs` of the source). */
  renewed(): Promise<Renewed>;
  /** Returns why the latest reading failed; undefined where it succeeded, or there was none yet. */
  failure(): unknown;
}

interface Renewed {
  keys: KeySet;
  /** After how long the keys may be read again for another such token; 0: they were read for this one. */
  againInMs: number;
}

/** While the source is down, the last keys are used for this long. After that tokens of the issuer are refused. */
const STALE_FOR_MS = 3_600_000;
const FAILURE_PAUSE_MS = 5_000;

export function createTrustKeys(source: KeySource, kind: 'jwks' | 'spiffe-bundle', clock: Clock): TrustKeys {
  let known: { text: string; keys: KeySet; readAt: number } | undefined;
  let failure: unknown;
  let triedAt = -Infinity;
  let missedAt = -Infinity;
  let reading: Promise<void> | undefined;

  /** Returns what is left of a time that began then; 0 when it is over. */
  const leftOf = (ms: number, since: number): number => {
    const passed = clock.unchecked() - since;
    // If the clock was set back, the next read must not wait until the clock has caught up.
    return passed < 0 ? 0 : Math.max(0, ms - passed);
  };
  const isOver = (ms: number, since: number): boolean => leftOf(ms, since) === 0;

  const readAgain = (): Promise<void> => {
    reading ??= read().finally(() => (reading = undefined));
    return reading;
  };

  const read = async () => {
    triedAt = clock.unchecked();
    try {
      const text = await source.read();
      // An unchanged text keeps the same object, so cached proofs stay valid.
      const keys = known?.text === text ? known.keys : readKeySet(text, kind);
      known = { text, keys, readAt: triedAt };
      failure = undefined;
    } catch (error) {
      failure = error;
    }
  };

  const current = async () => {
    const { freshForMs } = source;
    const pauseMs = failure === undefined ? freshForMs : Math.min(FAILURE_PAUSE_MS, freshForMs);
    // One caller waits for the source. The others use the known keys, so that a server that hangs does not hold them up.
    if (isOver(pauseMs, triedAt)) await readAgain();
    else if (!known) await reading;
    if (!known || isOver(STALE_FOR_MS, known.readAt)) throw noKeys(failure);
    return known.keys;
  };

  const renewed = async () => {
    const againInMs = leftOf(source.missPauseMs, missedAt);
    if (againInMs === 0) {
      missedAt = clock.unchecked();
      await readAgain();
    } else await reading;
    // While the source is down the key may be a new one, so the answer is "later" and not "unknown key".
    if (failure !== undefined) throw noKeys(failure);
    return { keys: await current(), againInMs };
  };

  return { current, renewed, failure: () => failure };
}

/** To ask again helps after an outage. It does not help where somebody must change the configuration first. */
const noKeys = (cause: unknown): BrokerError =>
  cause instanceof ConfigError
    ? new BrokerError('server_error', MISFIT, { retry: 'never', cause })
    : new BrokerError('temporarily_unavailable', "The keys of the token's issuer cannot be read now.", {
        retryAfterSeconds: FAILURE_PAUSE_MS / 1000,
        cause,
      });

const MISFIT =
  "What the token's issuer says of itself and the configuration of the broker do not fit; an operator finds the reason in the log.";
