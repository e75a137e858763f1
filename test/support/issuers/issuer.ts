/** A throw-away issuer of identity tokens, honest or not: every part of a token can be set by the test. */
import { CompactSign, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import { toSeconds, type Clock } from '../../../src/domain/time.js';

export const BROKER = 'http://127.0.0.1:8080';

export interface TokenWish {
  sub?: unknown;
  aud?: unknown;
  /** From now; default 300. `exp` itself can be set as any other claim. */
  expiresInSeconds?: number;
  /** Default: the issuer's first algorithm. */
  alg?: string;
  /** Added to, or with `undefined` taken from, `{ alg, kid, typ: 'JWT' }`. */
  header?: Record<string, unknown>;
  [claim: string]: unknown;
}

export interface SigningKey {
  kid: string;
  alg: string;
  privateKey: CryptoKey;
  publicJwk: JWK;
}

export interface TestIssuer {
  url: string;
  token(wish?: TokenWish): Promise<string>;
  jwks(): { keys: JWK[] };
  /** The key that signs with this algorithm now. */
  key(alg?: string): SigningKey;
  /** Replaces every key; what older ones signed no longer verifies, unless `keep`. With `sameIds` the new keys have the old ids. */
  rotate(options?: { keep?: boolean; sameIds?: boolean }): Promise<void>;
}

export async function createIssuer(options: {
  clock: Clock;
  url?: string;
  algorithms?: string[];
}): Promise<TestIssuer> {
  const { clock, url = 'https://issuer.lab.example', algorithms = ['ES256'] } = options;
  let generation = 0;
  const newKeys = () => Promise.all(algorithms.map((alg) => newSigningKey(alg, `${alg}-${generation}`)));
  let keys = await newKeys();
  let retired: SigningKey[] = [];

  const key = (alg = algorithms[0]) => keys.find((candidate) => candidate.alg === alg)!;
  return {
    url,
    key,
    jwks: () => ({ keys: [...keys, ...retired].map(({ publicJwk }) => publicJwk) }),
    rotate: async ({ keep = false, sameIds = false } = {}) => {
      if (!sameIds) generation += 1;
      retired = keep ? [...keys, ...retired] : [];
      keys = await newKeys();
    },
    token: ({ expiresInSeconds = 300, alg, header, ...claims } = {}) => {
      const now = toSeconds(clock.now());
      const standard = { iss: url, sub: 'agent-1', aud: BROKER, iat: now, exp: now + expiresInSeconds };
      return signToken(key(alg), { ...standard, ...claims }, header);
    },
  };
}

export async function newSigningKey(alg: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** @param payload claims, or the exact JSON text to sign */
export function signToken(
  { privateKey, kid, alg }: SigningKey,
  payload: object | string,
  header: Record<string, unknown> = {},
): Promise<string> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const protectedHeader = withoutUndefined({ alg, kid, typ: 'JWT', ...header }) as { alg: string };
  return new CompactSign(new TextEncoder().encode(text)).setProtectedHeader(protectedHeader).sign(privateKey);
}

/** A token that nobody signed with `sign`: what an attacker can write. */
export function forgeToken(header: object, payload: object | string, sign: (input: string) => Buffer | string): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const input = [JSON.stringify(header), text].map((part) => Buffer.from(part).toString('base64url')).join('.');
  const signature = sign(input);
  return `${input}.${typeof signature === 'string' ? signature : signature.toString('base64url')}`;
}

const withoutUndefined = (object: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
