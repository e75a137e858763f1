/** What a request says a token is must be what it turned out to be (RFC 8693 §3, RFC 7523 §2.2). */
import type { Proof } from './trusted-issuer.js';

type Fits = (proof: Pick<Proof, 'kind' | 'party'>) => boolean;

const anything: Fits = () => true;

// A Map, not an object: the name comes from the request and could be `constructor`.
const FITS = new Map<string, Fits>([
  ['urn:ietf:params:oauth:token-type:jwt', anything],
  ['urn:ietf:params:oauth:token-type:id_token', ({ kind }) => kind === 'oidc'],
  // Many identity providers give access tokens no type of their own.
  ['urn:ietf:params:oauth:token-type:access_token', ({ party }) => party.kind === 'person'],
  ['urn:ietf:params:oauth:client-assertion-type:jwt-bearer', anything],
  ['urn:ietf:params:oauth:client-assertion-type:jwt-spiffe', ({ kind }) => kind === 'spiffe'],
]);

export function isDeclaredAs(tokenType: string | undefined, proof: Parameters<Fits>[0]): boolean {
  return tokenType === undefined || (FITS.get(tokenType)?.(proof) ?? false);
}
