/** Keys of a benchmark, and the tokens signed with them ahead of time: the load generator must not pay for signatures. */
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

export interface Signer {
  privateKey: CryptoKey;
  publicJwk: JWK;
  /** Tokens that each have a `jti` of their own. */
  tokens(count: number, claimsOf: (index: number) => Record<string, unknown>): Promise<string[]>;
}

const AT_ONCE = 50;
const HOUR_SECONDS = 3_600;

export async function createSigner(kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  const token = (claims: Record<string, unknown>) => {
    const iat = Math.floor(Date.now() / 1000);
    return new SignJWT({ iat, exp: iat + HOUR_SECONDS, jti: randomUUID(), ...claims })
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
      .sign(privateKey);
  };
  return { privateKey, publicJwk, tokens: (count, claimsOf) => many(count, (index) => token(claimsOf(index))) };
}

/** Returns `count` results. By default as many are computed at once as a measurement has connections. */
export async function many<T>(count: number, one: (index: number) => Promise<T>, atOnce = AT_ONCE): Promise<T[]> {
  const results: T[] = [];
  let started = 0;
  const worker = async () => {
    while (started < count) {
      const index = started++;
      results[index] = await one(index);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
