/** The broker as an AWS account knows it: an OIDC provider, and the names of its claims in conditions. */
import type { AwsTarget } from '../../config/schema.js';
import { parseRole, type Role } from '../../targets/aws.js';

export interface Federation {
  url: string;
  audience: string;
  /** The ARN of the provider. */
  provider: string;
  /** `sub` → `mayfly.example:sub`. */
  claim: (name: string) => string;
}

/** @param issuer Of the broker, where the target names no other. */
export function federationOf(issuer: string, { resource, aws }: AwsTarget): Federation {
  const url = aws.issuer ?? issuer;
  const name = providerName(url);
  const { partition, account } = roleOf(resource);
  return {
    url,
    audience: aws.audience,
    provider: `arn:${partition}:iam::${account}:oidc-provider/${name}`,
    claim: (claim) => `${name}:${claim}`,
  };
}

export function roleOf(arn: string): Role {
  const role = parseRole(arn);
  if (!role?.account) throw new Error(`${arn} names no AWS account.`);
  return role;
}

/** Host and path, without the scheme. A port would be the only thing that still has a colon. */
function providerName(url: string): string {
  const name = /^https:\/\/([^:]+)$/.exec(url)?.[1];
  if (name !== undefined) return name;
  throw new Error(
    `AWS takes no OIDC provider at ${url}: it has to be https, without a port. ` +
      'Publish the discovery document and the JWKS of the broker at such an origin, and set it as `aws.issuer` of the target.',
  );
}
