/** The broker's signing keys: sign, publish, verify, rotate. Private keys are stored sealed, and unsealed in memory only. */
import type { JWTPayload } from 'jose';
import { BrokerError } from '../domain/errors.js';
import type { Clock } from '../domain/time.js';
import type { JwkSet } from '../protocol/jwks.js';
import { hiddenBy, type Hidden } from './hidden.js';
import { turnRing, type RingDeps } from './ring-record.js';
import type { Step } from './ring.js';
import { sealedKeysOf } from './ring.js';
import { unseal, type OpenKey } from './seal.js';
import { signedJws } from './sign.js';
import { createVerifier } from './verified.js';

/**
 * A ring older than this is read again before anything is signed. It must stay well below the time that retired keys are kept.
 */
const RING_STALE_MS = 30_000;

/**
 * A token with an unknown `kid`, or a request for the key set, makes the broker read the ring at most this often: anybody can
 * send both.
 */
const COOLDOWN_MS = 1_000;

export interface Keys extends Hidden {
  /** Returns a compact JWS, signed by the current key. */
  sign(payload: JWTPayload, header: { typ: string }): Promise<string>;
  /**
   * Returns the payload of an unexpired token of this broker. Throws `invalid_token` for anything else. A token that is to be
   * ended is also taken by a broker that cannot know what has expired.
   */
  verify(token: string, expected: { typ: string; purpose?: 'ending' }): Promise<Readonly<JWTPayload>>;
  /** Returns the public keys: current, next and retiring. They come from memory when the store cannot be read. */
  jwks(): Promise<JwkSet>;
  /** Reads the ring and takes the steps that are due. Returns the steps taken, for the audit log. */
  refresh(): Promise<Step[]>;
  /**
   * Announces a new key that signs in an hour. With `now` it signs at once; with `distrustOld` all other keys are withdrawn
   * too.
   */
  rotate(how?: { now?: boolean; distrustOld?: boolean }): Promise<Step[]>;
}

/** Creates the first key if there is none. Throws when a key in the store cannot be unsealed. */
export async function openKeys(deps: RingDeps): Promise<Keys> {
  let opened = await openRing(deps, new Map());
  let reading: Promise<Step[]> | undefined;
  const verifier = createVerifier();

  const turn = async (asked?: Step): Promise<Step[]> => {
    opened = await openRing(deps, opened.keys, asked);
    return opened.steps;
  };
  const refresh = (): Promise<Step[]> =>
    (reading ??= turn().finally(() => {
      reading = undefined;
    }));
  const olderThan = (ms: number): boolean => Math.abs(deps.clock.unchecked() - opened.readAt) >= ms;

  return {
    ...hiddenBy(deps.keyEncryptionKey),
    refresh,
    async rotate({ now = false, distrustOld = false } = {}) {
      // A read that began earlier must not overwrite the ring that this rotation is about to read.
      await reading?.catch(() => undefined);
      return turn(distrustOld ? 'distrust' : now ? 'replace' : 'announce');
    },
    async sign(payload, { typ }) {
      if (olderThan(RING_STALE_MS)) await refresh();
      const { kid, privateKey } = opened.current;
      return signedJws({ typ, kid }, payload, privateKey);
    },
    async jwks() {
      if (olderThan(COOLDOWN_MS)) await refresh().catch(() => undefined);
      return { keys: [...opened.keys.values()].map(({ jwk }) => jwk) };
    },
    async verify(token, { typ, purpose }) {
      const shown = attempted(() => verifier.read(token));
      // Another broker may have distrusted the key: a stale ring must not verify with it any longer.
      if (olderThan(opened.keys.has(shown.kid) ? RING_STALE_MS : COOLDOWN_MS)) await refresh();
      const key = opened.keys.get(shown.kid);
      if (!key) throw notOurs();
      const now = timeFor(purpose, deps.clock);
      return attempted(() => verifier.verify(shown, key, { typ, now }));
    },
  };
}

interface OpenRing {
  current: OpenKey;
  /** By `kid`, the current one first. */
  keys: ReadonlyMap<string, OpenKey>;
  steps: Step[];
  readAt: number;
}

/**
 * Unseals the keys that are not in memory yet. If one cannot be unsealed it throws: half a ring would sign tokens that nobody
 * can verify.
 */
async function openRing(deps: RingDeps, known: ReadonlyMap<string, OpenKey>, asked?: Step): Promise<OpenRing> {
  const readAt = deps.clock.unchecked();
  const { ring, steps } = await turnRing(deps, asked);
  const keys = new Map<string, OpenKey>();
  for (const sealed of sealedKeysOf(ring)) {
    keys.set(sealed.kid, known.get(sealed.kid) ?? (await unseal(sealed, deps.keyEncryptionKey)));
  }
  const current = keys.get(ring.current.kid);
  if (!current) throw new Error('the ring has no current key');
  return { current, keys, steps, readAt };
}

/** Nothing has expired at time 0. */
const timeFor = (purpose: 'ending' | undefined, clock: Clock): number =>
  purpose === 'ending' && !clock.isTrusted() ? 0 : clock.now();

/** Whatever is wrong with a token, its caller hears the same of it. */
function attempted<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    throw notOurs(cause);
  }
}

const notOurs = (cause?: unknown): BrokerError =>
  new BrokerError('invalid_token', 'The token is not a valid token of this broker, or has expired.', { cause });
