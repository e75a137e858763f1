/** Whether an issuer in the configuration is the broker itself, with or without a slash at the end. */
export const isOwnIssuer = (issuer: string, own: string | undefined): boolean =>
  own !== undefined && issuer.replace(/\/+$/, '') === own;
