/** Identifiers of OAuth, from the standards and of our own. */

/** The `grant_type` of a token exchange: RFC 8693 §2.1. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** The token type of a JWT that is presented: RFC 8693 §3. */
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';
