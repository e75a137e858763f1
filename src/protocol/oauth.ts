/** OAuth words: identifiers from the standards, spelled once. */

/** RFC 8693 §2.1. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** RFC 8693 §3. */
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';
