/** The options of an account of the loopback AWS. */
import type { JSONWebKeySet } from 'jose';
import type { PolicyDocument, TrustPolicy } from './policy-document.js';

export interface LoopbackAwsOptions {
  /** Twelve digits. */
  account: string;
  roles: readonly RoleOptions[];
  providers: readonly ProviderOptions[];
  /** The time from the answer to a write until the new policy is in force. Before that, the old one is. */
  propagationMs: number;
  /** The clock, in milliseconds since the epoch. Everything uses it but the `delay` fault. */
  now: () => number;
  /** Default: any free port. */
  port?: number;
}

export interface RoleOptions {
  arn: string;
  trust: TrustPolicy;
  /** The base policy of the role. It counts towards the limit on inline policies, and no call changes it. */
  base: PolicyDocument;
  /** Default 3600. */
  maxSessionSeconds?: number;
  /** The ARN of a permissions boundary. It is compared with `iam:PermissionsBoundary`, but restricts nothing here. */
  boundary?: string;
}

/** An OIDC provider. Unlike at AWS, its issuer may use `http:` and have a port. */
export interface ProviderOptions {
  issuer: string;
  clientIds: readonly string[];
  /** Default: the keys are fetched as the issuer's discovery document says, and fetched again for an unknown `kid`. */
  jwks?: () => Promise<JSONWebKeySet>;
}
