/** The published key set (RFC 7517). It has public keys alone. */

/** A P-256 public key for ES256 signatures. `x` and `y` are base64url (RFC 7518 §6.2.1). */
export interface PublicJwk {
  kty: 'EC';
  crv: 'P-256';
  x: string;
  y: string;
  /** The thumbprint of the key: RFC 7638. */
  kid: string;
  use: 'sig';
  alg: 'ES256';
}

export interface JwkSet {
  keys: PublicJwk[];
}
