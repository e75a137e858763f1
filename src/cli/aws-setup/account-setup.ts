/** All that an AWS account needs for one target. Provider and revoker role serve every target of the account. */
import type { Config } from '../../config/schema.js';
import { allowanceStatement, type Allowance } from './allowance.js';
import { basePolicy } from './base-policy.js';
import { federationOf, roleOf, type Federation } from './federation.js';
import { boundaryArn, permissionsBoundary } from './permissions-boundary.js';
import { revokerPolicy } from './revoker-policy.js';
import { namedRole, type NamedPolicy, type RoleSetup } from './role-setup.js';
import { targetGroup, type TargetGroup } from './target-group.js';
import { agentTrust, revokerTrust } from './trust-policy.js';

export interface AccountSetup {
  oidcProvider: { Url: string; ClientIDList: string[] };
  permissionsBoundary: NamedPolicy & { Path: string };
  role: RoleSetup;
  revokerRole: RoleSetup;
}

export function accountSetup(
  config: Pick<Config, 'issuer' | 'targets'>,
  roleArn: string,
  allowance: Allowance,
): AccountSetup {
  const group = targetGroup(config, roleArn);
  const federation = federationOf(config.issuer, group.target);
  const allowed = allowanceStatement(allowance, roleOf(roleArn).partition);
  const { RoleName, Path, ...limits } = namedRole(roleArn);
  return {
    oidcProvider: { Url: federation.url, ClientIDList: group.audiences },
    permissionsBoundary: {
      PolicyName: `${RoleName}-boundary`,
      Path,
      PolicyDocument: permissionsBoundary(allowed),
    },
    role: {
      RoleName,
      Path,
      ...limits,
      PermissionsBoundary: boundaryArn(roleOf(roleArn)),
      AssumeRolePolicyDocument: agentTrust(federation),
      Policy: { PolicyName: 'JitBase', PolicyDocument: basePolicy(allowed) },
    },
    revokerRole: revokerRole(group, config.issuer),
  };
}

const revokerRole = ({ target, revokedTogether }: TargetGroup, issuer: string): RoleSetup => ({
  ...namedRole(target.aws.revokerRole),
  AssumeRolePolicyDocument: revokerTrust(distinct(revokedTogether.map((each) => federationOf(issuer, each)))),
  Policy: { PolicyName: 'JitRevoker', PolicyDocument: revokerPolicy(revokedTogether.map(({ resource }) => resource)) },
});

const distinct = (federations: readonly Federation[]): Federation[] => [
  ...new Map(federations.map((one) => [`${one.provider} ${one.audience}`, one])).values(),
];
