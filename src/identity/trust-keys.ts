/**
 * The keys of one issuer, kept: read when first asked for, again when no longer fresh, and once out of turn when a token
 * names a key that is not there. One reading at a time, whoever asks.
 */
import { BrokerError } from '../domain/errors.js';
import type { Clock } from '../domain/time.js';
import type { KeySource } from './key-source.js';
import { type KeySet, readKeySet } from './key-set.js';

export interface TrustKeys {
  current(): Promise<KeySet>;
  /** After a key was missed: read again, unless that was done a moment ago. */
  renewed(): Promise<KeySet>;
}

/** While its source is down an issuer is taken at its last word this long, then refused. */
const STALE_FOR_MS = 3_600_000;
/** Anybody can name a key that does not exist: that must not become traffic to the issuer. */
const MISS_PAUSE_MS = 30_000;
const FAILURE_PAUSE_MS = 5_000;

export function createTrustKeys(source: KeySource, kind: 'jwks' | 'spiffe-bundle', clock: Clock): TrustKeys {
  let known: { text: string; keys: KeySet; readAt: number } | undefined;
  let failure: unknown;
  let triedAt = -Infinity;
  let missedAt = -Infinity;
  let reading: Promise<void> | undefined;

  const isOver = (ms: number, since: number): boolean => {
    const passed = clock.now() - since;
    // A clock that was set back must not put off the next reading until it has caught up.
    return passed >= ms || passed < 0;
  };

  const readAgain = (): Promise<void> => {
    reading ??= read().finally(() => (reading = undefined));
    return reading;
  };

  const read = async () => {
    triedAt = clock.now();
    try {
      const text = await source.read();
      // The same text keeps the same object, and with it every verification that is remembered.
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
    // One caller waits for the source; the others go on with what is known rather than queue behind a server that hangs.
    if (isOver(pauseMs, triedAt)) await readAgain();
    else if (!known) await reading;
    if (!known || isOver(STALE_FOR_MS, known.readAt)) throw unavailable(failure);
    return known.keys;
  };

  const renewed = async () => {
    if (isOver(MISS_PAUSE_MS, missedAt)) {
      missedAt = clock.now();
      await readAgain();
    } else await reading;
    // With the source down nobody can say that the key does not exist.
    if (failure !== undefined) throw unavailable(failure);
    return current();
  };

  return { current, renewed };
}

const unavailable = (cause: unknown): BrokerError =>
  new BrokerError('temporarily_unavailable', "The keys of the token's issuer cannot be read now.", {
    retryAfterSeconds: FAILURE_PAUSE_MS / 1000,
    cause,
  });
