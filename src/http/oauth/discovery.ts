/** The documents that OAuth clients and resource servers find by themselves: server metadata and the key set. */
import { z } from 'zod';
import { eachIssuer, isDocument } from '../../config/trust-schema.js';
import { SIGNATURE_ALGORITHMS } from '../../config/values.js';
import { ACCESS_TOKEN_TYPE, DEFERRAL_CODE_TYPE, ID_JAG_PROFILE, TOKEN_PATH } from '../../protocol/oauth.js';
import { BrokerError } from '../../domain/errors.js';
import type { HttpDeps } from '../deps.js';
import { described, json, type Contract, type Described } from '../wire/contract.js';
import { kindOf } from '../../targets/kinds.js';
import { GRANT_TYPES } from './token-request.js';

const CACHED = { 'Cache-Control': 'public, max-age=300' };
const KEY_SET = { ...CACHED, 'Content-Type': 'application/jwk-set+json' };
const CLIENT_METHODS = ['none', 'private_key_jwt'];

const metadataContract: Contract = {
  summary:
    'Says where everything is, and what is supported (RFC 8414). OpenID clients find the same at their own path.',
  proof: 'none',
  answers: {
    200: json(z.looseObject({ issuer: z.string(), token_endpoint: z.string(), jwks_uri: z.string() })),
  },
};

const keySetContract: Contract = {
  summary:
    'Returns the public keys that verify credentials. Fetch them again every five minutes, and for an unknown `kid`.',
  proof: 'none',
  answers: {
    200: {
      'application/jwk-set+json': z.strictObject({
        keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })),
      }),
    },
  },
};

/**
 * GET /.well-known/oauth-authorization-server (RFC 8414) returns the metadata. The same document is
 * at the path where OpenID clients look.
 */
export function metadata({
  issuer,
  targets,
  settings: { trust },
}: Pick<HttpDeps, 'issuer' | 'targets' | 'settings'>): Described {
  const kinds = [...new Set([...targets.values()].map(({ minter }) => kindOf(minter)))];
  // Every name of a target leads to it.
  const scopes = [...new Set([...targets.values()].flatMap((one) => ('scopes' in one ? Object.keys(one.scopes) : [])))];
  const oidc = eachIssuer(trust).filter((one) => one.kind === 'oidc');
  const body = {
    issuer,
    token_endpoint: `${issuer}${TOKEN_PATH}`,
    revocation_endpoint: `${issuer}/revoke`,
    introspection_endpoint: `${issuer}/introspect`,
    jwks_uri: `${issuer}/jwks`,
    // Stock clients refuse metadata without these. Nobody logs in here: the endpoint answers that, and to every client alike.
    authorization_endpoint: `${issuer}/authorize`,
    response_types_supported: ['none'],
    subject_types_supported: ['public'],
    // OpenID Connect Discovery §3 demands RS256, and parsers check that. ES256 is what the keys sign with.
    id_token_signing_alg_values_supported: ['RS256', 'ES256'],
    grant_types_supported: GRANT_TYPES,
    deferred_token_response_supported: true,
    revocation_endpoint_token_type_values_supported: [ACCESS_TOKEN_TYPE, DEFERRAL_CODE_TYPE],
    ...(oidc.some(({ idJag }) => idJag) && { authorization_grant_profiles_supported: [ID_JAG_PROFILE] }),
    ...(oidc.some(({ jwks }) => isDocument(jwks)) && { client_id_metadata_document_supported: true }),
    token_endpoint_auth_methods_supported: CLIENT_METHODS,
    token_endpoint_auth_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: ['private_key_jwt'],
    revocation_endpoint_auth_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: ['private_key_jwt', 'Bearer'],
    introspection_endpoint_auth_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    authorization_details_types_supported: kinds.map(({ detailType }) => detailType),
    ...Object.fromEntries(kinds.flatMap((kind) => Object.entries(kind.metadata ?? {}))),
  };
  return described(metadataContract, () => Promise.resolve({ status: 200, headers: CACHED, body }));
}

const NO_LOGIN =
  'Nobody logs in here, and no client registers here: a workload proves itself at the token endpoint. Use client_credentials with a client assertion, or token exchange.';

const authorizationContract: Contract = {
  summary: 'Refuses: nobody logs in here. It is there for clients that want such an endpoint in the metadata.',
  proof: 'none',
  answers: { 400: { 'text/html': 'The refusal as a page, for a browser.' } },
  refusals: ['unsupported_response_type'],
};

/** GET /authorize says that there is nothing to authorise here. It sends nobody anywhere: a redirect could be anybody's. */
export const authorization = described(authorizationContract, ({ headers }) => {
  const refusal = new BrokerError('unsupported_response_type', NO_LOGIN);
  if (!headers.accept?.includes('text/html')) return Promise.reject(refusal);
  const body = `<!doctype html><title>Nobody logs in here</title><p>${NO_LOGIN}</p>`;
  return Promise.resolve({ status: 400, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body });
});

/**
 * GET /jwks (RFC 7517) returns the current, next and retiring keys. Caches keep them for minutes only, so that a distrusted
 * key is soon gone everywhere.
 */
export const keySet = ({ keys }: Pick<HttpDeps, 'keys'>) =>
  described(keySetContract, async () => ({ status: 200, headers: KEY_SET, body: await keys.jwks() }));
