/** The documents that OAuth clients and resource servers find by themselves: server metadata and the key set. */
import { SIGNATURE_ALGORITHMS } from '../../config/values.js';
import type { HttpDeps } from '../deps.js';
import type { Handle } from '../wire/endpoint.js';
import { TOKEN_EXCHANGE } from '../../protocol/oauth.js';
import { kindOf } from '../../targets/kinds.js';

const CACHED = { 'Cache-Control': 'public, max-age=300' };
const KEY_SET = { ...CACHED, 'Content-Type': 'application/jwk-set+json' };
const CLIENT_METHODS = ['none', 'private_key_jwt'];

/**
 * GET /.well-known/oauth-authorization-server (RFC 8414) returns the metadata. The same document is
 * at the path where OpenID clients look.
 */
export function metadata({ issuer, targets }: Pick<HttpDeps, 'issuer' | 'targets'>): Handle {
  const kinds = [...new Set([...targets.values()].map(({ minter }) => kindOf(minter)))];
  const body = {
    issuer,
    token_endpoint: `${issuer}/token`,
    revocation_endpoint: `${issuer}/revoke`,
    introspection_endpoint: `${issuer}/introspect`,
    jwks_uri: `${issuer}/jwks`,
    // There is no authorization endpoint, because no browser takes part in any flow.
    response_types_supported: [],
    grant_types_supported: [TOKEN_EXCHANGE],
    token_endpoint_auth_methods_supported: CLIENT_METHODS,
    token_endpoint_auth_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: ['private_key_jwt'],
    revocation_endpoint_auth_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: ['private_key_jwt', 'Bearer'],
    introspection_endpoint_auth_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    authorization_details_types_supported: kinds.map(({ detailType }) => detailType),
    ...Object.fromEntries(kinds.flatMap((kind) => Object.entries(kind.metadata ?? {}))),
  };
  return () => Promise.resolve({ status: 200, headers: CACHED, body });
}

/**
 * GET /jwks (RFC 7517) returns the current, next and retiring keys. Caches keep them for minutes only, so that a distrusted
 * key is soon gone everywhere.
 */
export const keySet =
  ({ keys }: Pick<HttpDeps, 'keys'>): Handle =>
  async () => ({ status: 200, headers: KEY_SET, body: await keys.jwks() });
