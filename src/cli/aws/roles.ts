/** Roles of the configuration, and how their AWS account knows the broker: as an OIDC provider. */
import type { Config } from '../../config/schema.js';
import type { AwsTarget } from '../../config/target-schema.js';
import { parseRole, type Role } from '../../targets/aws-names.js';

/** A target that is an IAM role, with what it shares with other targets of the configuration. */
export interface TargetGroup {
  target: AwsTarget;
  /** All targets of its revoker role, itself among them. */
  revokedTogether: readonly AwsTarget[];
  /** The audiences of every target at the same OIDC provider. The provider rejects a token of an audience it does not list. */
  audiences: string[];
  /** The targets at the same OIDC provider, itself among them. */
  atProvider: readonly AwsTarget[];
}

/** The broker as an OIDC provider of one account. */
export interface Federation {
  url: string;
  audience: string;
  /** The ARN of the provider. */
  provider: string;
  /** Returns the name of a claim in conditions: `sub` → `mayfly.example:sub`. */
  claim: (name: string) => string;
}

export function targetGroup({ issuer, targets }: Pick<Config, 'issuer' | 'targets'>, roleArn: string): TargetGroup {
  const roles = targets.filter((target) => target.minter === 'aws-sts');
  const target = roles.find(({ resource }) => resource === roleArn);
  if (!target) throw new Error(unknownTarget(roleArn, roles));
  const providerOf = ({ resource, aws }: AwsTarget) => `${roleOf(resource).account} ${aws.issuer ?? issuer}`;
  const atProvider = roles.filter((role) => providerOf(role) === providerOf(target));
  return {
    target,
    revokedTogether: roles.filter(({ aws }) => aws.revokerRole === target.aws.revokerRole),
    atProvider,
    audiences: [...new Set(atProvider.map(({ aws }) => aws.audience))],
  };
}

/** @param issuer The issuer of the broker, for a target that names no other. */
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

/** Returns host and path of the URL, without the scheme. Only a port would put another colon into it. */
function providerName(url: string): string {
  const name = /^https:\/\/([^:]+)$/.exec(url)?.[1];
  if (name !== undefined) return name;
  throw new Error(
    `AWS takes no OIDC provider at ${url}: it has to be https, without a port. ` +
      'Publish the discovery document and the JWKS of the broker at such an origin, and set it as `aws.issuer` of the target.',
  );
}

function unknownTarget(roleArn: string, roles: readonly AwsTarget[]): string {
  const known = roles.map(({ resource }) => resource).join(', ');
  return `The configuration has no target ${roleArn} with minter aws-sts; it has ${known === '' ? 'none' : known}.`;
}
