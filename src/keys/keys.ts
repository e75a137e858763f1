/** The broker's signing keys: sign, publish, verify, rotate. Private halves leave the store only sealed. */
import { decodeProtectedHeader, jwtVerify, type JWTPayload } from 'jose';
import { BrokerError } from '../domain/errors.js';
import type { JwkSet } from '../protocol/jwks.js';
import { COMPACT_JWS } from '../protocol/jws.js';
import type { Step } from './ring.js';
import { sealedKeysOf } from './ring.js';
import { turnRing, type RingDeps } from './ring-record.js';
import { unseal, type OpenKey } from './seal.js';
import { signedJws } from './sign.js';

/** After this the ring is read again before anything is signed. Must stay well below the margin retired keys are kept. */
const RING_STALE_MS = 30_000;

/** How often a stranger's unknown `kid`, or a request for the key set, may make us read the ring. */
const COOLDOWN_MS = 1_000;

export interface Keys {
  /** A compact JWS by the current key. */
  sign(payload: JWTPayload, header: { typ: string }): Promise<string>;
  /** The payload of a token of ours that is not expired; anything else is refused with `invalid_token`. */
  verify(token: string, expected: { typ: string }): Promise<JWTPayload>;
  /** Current, next and retiring keys. Answers from memory when the store does not. */
  jwks(): Promise<JwkSet>;
  /** Reads the ring and does what is due; the schedule calls it. Answers what was done, for the audit log. */
  refresh(): Promise<Step[]>;
  /** Announces a new key, to be used in an hour; `now`: uses one at once; `distrustOld`: and withdraws all others. */
  rotate(how?: { now?: boolean; distrustOld?: boolean }): Promise<Step[]>;
}

/** Creates the first key if there is none. Throws when what is in the store cannot be unsealed. */
export async function openKeys(deps: RingDeps): Promise<Keys> {
  let opened = await openRing(deps, new Map());
  let reading: Promise<Step[]> | undefined;

  const turn = async (asked?: Step): Promise<Step[]> => {
    opened = await openRing(deps, opened.keys, asked);
    return opened.steps;
  };
  const refresh = (): Promise<Step[]> =>
    (reading ??= turn().finally(() => {
      reading = undefined;
    }));
  const olderThan = (ms: number): boolean => Math.abs(deps.clock.now() - opened.readAt) >= ms;

  return {
    refresh,
    async rotate({ now = false, distrustOld = false } = {}) {
      await reading?.catch(() => undefined); // A reading that began before must not overwrite what we are about to read.
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
    async verify(token, { typ }) {
      const kid = kidOf(token);
      // A key that was distrusted elsewhere must not be believed here for longer than the ring may be stale.
      if (olderThan(opened.keys.has(kid) ? RING_STALE_MS : COOLDOWN_MS)) await refresh();
      const key = opened.keys.get(kid);
      if (!key) throw notOurs();
      const options = { algorithms: ['ES256'], typ, currentDate: new Date(deps.clock.now()) };
      const { payload } = await jwtVerify(token, key.publicKey, options).catch((cause: unknown) => {
        throw notOurs(cause);
      });
      return payload;
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

/** Unseals what is not open yet. A key that does not open makes all of it fail: half a ring would sign what nobody can verify. */
async function openRing(deps: RingDeps, known: ReadonlyMap<string, OpenKey>, asked?: Step): Promise<OpenRing> {
  const readAt = deps.clock.now();
  const { ring, steps } = await turnRing(deps, asked);
  const keys = new Map<string, OpenKey>();
  for (const sealed of sealedKeysOf(ring)) {
    keys.set(sealed.kid, known.get(sealed.kid) ?? (await unseal(sealed, deps.keyEncryptionKey)));
  }
  const current = keys.get(ring.current.kid);
  if (!current) throw new Error('the ring has no current key');
  return { current, keys, steps, readAt };
}

/** Of the header only `kid` is read, and only to choose among our own keys; `jwk`, `jku`, `x5u`, `x5c` never are. */
function kidOf(token: string): string {
  // jose decodes leniently (padding, whitespace); what is not strictly compact is not ours.
  if (!COMPACT_JWS.test(token)) throw notOurs();
  try {
    return decodeProtectedHeader(token).kid ?? '';
  } catch (cause) {
    throw notOurs(cause);
  }
}

const notOurs = (cause?: unknown): BrokerError =>
  new BrokerError('invalid_token', 'The token is not a valid token of this broker, or has expired.', { cause });
