/** Verifies tokens of this broker. An API shows the same token with every call, so its signature is verified once. */
import { decodeProtectedHeader, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { sha256 } from '../domain/digest.js';
import { readObject } from '../domain/json-object.js';
import { isSignedBy } from '../domain/signature.js';
import { COMPACT_JWS } from '../protocol/jws.js';
import type { OpenKey } from './seal.js';

interface Expected {
  typ: string;
  /** Milliseconds. */
  now: number;
}

/** A token that claims to be of this broker. */
interface Shown {
  text: string;
  digest: string;
  /** Only by it a key is chosen, among the broker's own. `jwk`, `jku`, `x5u` and `x5c` are never read: an attacker would name their own key. */
  kid: string;
  alg: unknown;
  typ: unknown;
  /** Present where a key has verified the signature: then the payload is what that key signed. */
  signed?: { by: OpenKey; payload: Readonly<JWTPayload> };
}

const VERIFIED_MAX = 10_000;

/** Only verified tokens are remembered, so an attacker cannot evict them with invented ones. */
export function createVerifier() {
  const remembered = new LRUCache<string, Shown>({ max: VERIFIED_MAX });
  return {
    /** Throws for what has not the form of a token. Nothing is verified yet. */
    read(text: string): Shown {
      const digest = sha256(text);
      return remembered.get(digest) ?? { text, digest, ...headerOf(text) };
    },
    /**
     * Returns the payload of an unexpired token that the key signed, the same frozen object each time. Throws for anything else.
     * Who signed, the type and the expiry are compared at every use.
     */
    verify(token: Shown, key: OpenKey, { typ, now }: Expected): Readonly<JWTPayload> {
      if (token.signed?.by !== key) {
        token.signed = { by: key, payload: payloadSignedBy(key, token) };
        remembered.set(token.digest, token);
      }
      if (token.typ !== typ) throw new Error('the token is of another type');
      if (!isValidAt(now, token.signed.payload)) throw new Error('the token is not valid now');
      return token.signed.payload;
    },
  };
}

function headerOf(text: string): Pick<Shown, 'kid' | 'alg' | 'typ'> {
  // The form is checked before jose decodes, which forgives padding and white space. The broker makes only the strict form.
  if (!COMPACT_JWS.test(text)) throw new Error('the token is not a JWS in compact form');
  const { kid = '', alg, typ, crit } = decodeProtectedHeader(text);
  if (crit !== undefined) throw new Error('the token demands an extension');
  return { kid, alg, typ };
}

function payloadSignedBy({ publicKey }: OpenKey, { text, alg }: Shown): Readonly<JWTPayload> {
  if (alg !== 'ES256' || !isSignedBy(publicKey, alg, text)) throw new Error('the token is not signed by the key');
  const payload = readObject(Buffer.from(text.split('.', 2)[1] ?? '', 'base64url').toString());
  if (!payload) throw new Error('the token has no claims');
  return Object.freeze(payload);
}

/** Tokens of this broker have an `exp` and no `nbf`. Whoever has stolen a key may write others. */
const isValidAt = (now: number, { exp, nbf }: Readonly<JWTPayload>): boolean =>
  isTime(exp) && exp * 1000 > now && (nbf === undefined || (isTime(nbf) && nbf * 1000 <= now));

const isTime = (value: unknown): value is number => typeof value === 'number';
