/** All that an AWS account needs for one target, as the IAM API takes it. Provider and revoker role serve all targets of the account. */
import type { Config } from '../../config/schema.js';
import {
  agentTrust,
  allowanceStatement,
  basePolicy,
  boundaryArn,
  permissionsBoundary,
  revokerPolicy,
  revokerTrust,
  type Allowance,
  type PolicyDocument,
} from './policies.js';
import { federationOf, roleOf, targetGroup, type Federation, type TargetGroup } from './roles.js';

export interface AccountSetup {
  oidcProvider: { Url: string; ClientIDList: string[] };
  permissionsBoundary: NamedPolicy & { Path: string };
  role: RoleSetup;
  revokerRole: RoleSetup;
}

export interface RoleSetup {
  RoleName: string;
  Path: string;
  MaxSessionDuration: number;
  /** The ARN of the policy that is its boundary. */
  PermissionsBoundary?: string;
  AssumeRolePolicyDocument: PolicyDocument;
  /** The inline policy. */
  Policy: NamedPolicy;
}

interface NamedPolicy {
  PolicyName: string;
  PolicyDocument: PolicyDocument;
}

/** IAM takes no less than an hour as the longest session, and the broker asks for no more. */
const MAX_SESSION_SECONDS = 3_600;

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

/** Returns name and path of a role: `…:role/jit/agent` → `agent` in `/jit/`. */
function namedRole(arn: string): Pick<RoleSetup, 'RoleName' | 'Path' | 'MaxSessionDuration'> {
  const { name } = roleOf(arn);
  const at = name.lastIndexOf('/') + 1;
  return { RoleName: name.slice(at), Path: `/${name.slice(0, at)}`, MaxSessionDuration: MAX_SESSION_SECONDS };
}

const distinct = (federations: readonly Federation[]): Federation[] => [
  ...new Map(federations.map((one) => [`${one.provider} ${one.audience}`, one])).values(),
];
