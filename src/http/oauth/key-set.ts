/** GET /jwks (RFC 7517): current, next and retiring keys. Cached briefly, so that a distrusted key is soon gone everywhere. */
import type { HttpDeps } from '../deps.js';
import type { Handle } from '../endpoint.js';

const HEADERS = { 'Cache-Control': 'public, max-age=300', 'Content-Type': 'application/jwk-set+json' };

export const keySet =
  ({ keys }: Pick<HttpDeps, 'keys'>): Handle =>
  async () => ({ status: 200, headers: HEADERS, body: await keys.jwks() });
