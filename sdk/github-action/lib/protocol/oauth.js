/** Identifiers of OAuth, from the standards and of our own. */
/** The `grant_type` of a token exchange: RFC 8693 §2.1. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** RFC 7523 §2.1: a workload's own JWT is the whole grant. */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** RFC 6749 §4.4: the client asks for itself. */
export const CLIENT_CREDENTIALS = 'client_credentials';
/** Deferred Token Response (draft-ietf-oauth-deferred-token-response): a grant that people must agree to first is fetched by a code. */
export const DEFERRED = 'urn:ietf:params:oauth:grant-type:deferred';
/** The type of that code at the revocation endpoint. */
export const DEFERRAL_CODE_TYPE = 'urn:ietf:params:oauth:token-type:deferral-code';
/** What metadata say of a server that takes ID-JAGs (draft-ietf-oauth-identity-assertion-authz-grant). */
export const ID_JAG_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag';
/** The path of the token endpoint. Its URL is an audience of assertions. */
export const TOKEN_PATH = '/token';
/** Token types of RFC 8693 §3: what a request declares of a token that it presents, and what an answer says of one it returns. */
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';
export const ID_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:id_token';
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
/** Types of client assertions: RFC 7523 §2.2, and its SPIFFE profile for JWT-SVIDs. */
export const JWT_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const SPIFFE_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe';
