/** Verifies tokens of this broker. An API shows the same token with every call, so its signature is verified once. */
import { jwtVerify, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { sha256 } from '../domain/digest.js';
import type { OpenKey } from './seal.js';

interface Expected {
  typ: string;
  /** Milliseconds. */
  now: number;
}

/** Returns the payload of an unexpired token that the key signed, the same frozen object each time. Throws for anything else. */
type VerifyWith = (token: string, key: OpenKey, expected: Expected) => Promise<Readonly<JWTPayload>>;

interface Verified {
  key: OpenKey;
  typ: string;
  payload: Readonly<JWTPayload>;
}

const VERIFIED_MAX = 10_000;

/**
 * Only verified tokens are remembered, so an attacker cannot evict them with invented ones. Who signed, the type and the
 * expiry are compared at every use; where one does not fit, jose judges the whole token and says why.
 */
export function verifier(): VerifyWith {
  const remembered = new LRUCache<string, Verified>({ max: VERIFIED_MAX });
  return async (token, key, { typ, now }) => {
    const digest = sha256(token);
    const known = remembered.get(digest);
    if (known && known.key === key && known.typ === typ && expiresAfter(now, known.payload)) return known.payload;
    const { payload } = await jwtVerify(token, key.publicKey, {
      algorithms: ['ES256'],
      typ,
      currentDate: new Date(now),
    });
    Object.freeze(payload);
    remembered.set(digest, { key, typ, payload });
    return payload;
  };
}

/** Tokens of this broker have an `exp` and no `nbf`. Another one, signed with a stolen key, is judged by jose each time. */
const expiresAfter = (now: number, { exp, nbf }: JWTPayload): boolean =>
  exp !== undefined && nbf === undefined && exp * 1000 > now;
