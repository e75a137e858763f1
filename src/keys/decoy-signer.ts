/** Signs for canaries: a token reads like one of ours, and no verifier accepts it. */
import { generateKeyPairSync } from 'node:crypto';
import type { Keys } from './keys.js';
import { signedJws } from './sign.js';

/**
 * Signs with a key that is thrown away, under the `kid` of the current one: only verification distinguishes the signature
 * from a real one.
 */
export async function decoySigner(keys: Pick<Keys, 'jwks'>): Promise<Pick<Keys, 'sign'>> {
  const [current] = (await keys.jwks()).keys;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    sign: (payload, { typ }) => Promise.resolve(signedJws({ typ, kid: current?.kid ?? '' }, payload, privateKey)),
  };
}
