/** The published key set (RFC 7517): public halves only. */

export interface PublicJwk {
  kty: 'EC';
  crv: 'P-256';
  x: string;
  y: string;
  /** RFC 7638 thumbprint. */
  kid: string;
  use: 'sig';
  alg: 'ES256';
}

export interface JwkSet {
  keys: PublicJwk[];
}
