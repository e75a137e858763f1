/** OAuth words: identifiers from the standards, spelled once. */

/** RFC 8693 §2.1. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** RFC 8693 §3. */
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';

/** Ours: no standard names one for AWS credentials. What is answered under it is no token, so its `token_type` is `N_A`. */
export const AWS_CREDENTIALS_TYPE = 'urn:mayfly:params:oauth:token-type:aws-credentials';
