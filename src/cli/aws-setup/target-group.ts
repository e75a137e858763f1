/** A target that is an IAM role, and what it shares with others of the configuration. */
import type { AwsTarget, Config } from '../../config/schema.js';
import { roleOf } from './federation.js';

export interface TargetGroup {
  target: AwsTarget;
  /** All targets of its revoker role, itself among them. */
  revokedTogether: readonly AwsTarget[];
  /** Of every target at the same OIDC provider. That takes no token of an audience that it does not list. */
  audiences: string[];
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
    audiences: [...new Set(atProvider.map(({ aws }) => aws.audience))],
  };
}

function unknownTarget(roleArn: string, roles: readonly AwsTarget[]): string {
  const known = roles.map(({ resource }) => resource).join(', ');
  return `The configuration has no target ${roleArn} with minter aws-sts; it has ${known === '' ? 'none' : known}.`;
}
