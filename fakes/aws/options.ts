/** What an account of the loopback AWS consists of. */
import type { JSONWebKeySet } from 'jose';
import type { PolicyDocument, TrustPolicy } from './policy-document.js';

export interface LoopbackAwsOptions {
  /** Twelve digits. */
  account: string;
  roles: readonly RoleOptions[];
  providers: readonly ProviderOptions[];
  /** From the answer to a write until requests are decided by it. Before that, what was there is still in force. */
  propagationMs: number;
  /** Milliseconds since the epoch. Everything here goes by it, but for the delay of a `delay` fault. */
  now: () => number;
  /** Default: any free one. */
  port?: number;
}

export interface RoleOptions {
  arn: string;
  trust: TrustPolicy;
  /** What the role may do. It counts towards the limit on inline policies, and no call changes it. */
  base: PolicyDocument;
  /** Default 3600. */
  maxSessionSeconds?: number;
  /** The ARN of a permissions boundary: only compared by `iam:PermissionsBoundary`, it restricts nothing here. */
  boundary?: string;
}

/** An OIDC provider. Unlike at AWS, its issuer may be `http:` and have a port. */
export interface ProviderOptions {
  issuer: string;
  clientIds: readonly string[];
  /** Default: fetched from where the issuer's discovery document says, and kept until an unknown `kid` turns up. */
  jwks?: () => Promise<JSONWebKeySet>;
}
