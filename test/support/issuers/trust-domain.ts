/** A throw-away SPIFFE trust domain: its bundle, and JWT-SVIDs signed by it. */
import type { JWK } from 'jose';
import { toSeconds, type Clock } from '../../../src/domain/time.js';
import { BROKER, newSigningKey, signToken, type SigningKey, type TokenWish } from './issuer.js';

export interface TestTrustDomain {
  name: string;
  key: SigningKey;
  bundle(): { keys: JWK[]; spiffe_sequence: number; spiffe_refresh_hint: number };
  /** `sub` is set by `path`, default `/agent/one`, or given whole. */
  svid(wish?: TokenWish & { path?: string }): Promise<string>;
}

export async function createTrustDomain(options: {
  clock: Clock;
  name?: string;
  alg?: string;
}): Promise<TestTrustDomain> {
  const { clock, name = 'prod.example', alg = 'ES256' } = options;
  const key = await newSigningKey(alg, 'authority-1');
  return {
    name,
    key,
    bundle: () => ({ keys: [{ ...key.publicJwk, use: 'jwt-svid' }], spiffe_sequence: 1, spiffe_refresh_hint: 300 }),
    svid: ({ path = '/agent/one', expiresInSeconds = 300, header, ...claims } = {}) => {
      const now = toSeconds(clock.now());
      const standard = { sub: `spiffe://${name}${path}`, aud: [BROKER], iat: now, exp: now + expiresInSeconds };
      return signToken(key, { ...standard, ...claims }, header);
    },
  };
}
