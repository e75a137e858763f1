/** All that an AWS account needs for one target, as the IAM API takes it. Provider and revoker role serve all targets of the account. */
import type { Config } from '../../config/schema.js';
import { ORIGIN_CLAIMS } from '../../targets/aws-origin.js';
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
  oidcProvider: { Url: string; ClientIDList: string[]; ContextProvider?: ContextProvider };
  permissionsBoundary: NamedPolicy & { Path: string };
  role: RoleSetup;
  revokerRole: RoleSetup;
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ContextProvider.html */
interface ContextProvider {
  SubjectSourceKey: string;
  SubjectTypeSourceKey: string;
  KeyDefinitionList: { SourceKey: string; TargetKey: string }[];
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
  { context = false, ...allowance }: Allowance & { context?: boolean },
): AccountSetup {
  const group = targetGroup(config, roleArn);
  const federation = federationOf(config.issuer, group.target);
  const allowed = allowanceStatement(allowance, roleOf(roleArn).partition);
  const { RoleName, Path, ...limits } = namedRole(roleArn);
  if (context) refuseSilent(group);
  return {
    oidcProvider: {
      Url: federation.url,
      ClientIDList: group.audiences,
      ...(context && { ContextProvider: CONTEXT }),
    },
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

const CONTEXT: ContextProvider = {
  SubjectSourceKey: ORIGIN_CLAIMS.subject,
  SubjectTypeSourceKey: ORIGIN_CLAIMS.subjectType,
  KeyDefinitionList: [
    { SourceKey: ORIGIN_CLAIMS.task, TargetKey: 'task' },
    { SourceKey: ORIGIN_CLAIMS.purpose, TargetKey: 'purpose' },
  ],
};

/** The provider serves all roles of the account: with a context it would refuse the sessions of those that say nothing. */
function refuseSilent({ atProvider }: TargetGroup): void {
  const silent = atProvider.filter(({ aws }) => !aws.context).map(({ resource }) => resource);
  if (silent.length === 0) return;
  throw new Error(
    `--context: set aws.context: true of ${silent.join(', ')} first, and restart the brokers. A provider with a context ` +
      'takes no token that does not say for whom the session is.',
  );
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
