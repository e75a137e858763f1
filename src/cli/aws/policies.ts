/** The IAM policies of a role, of its boundary and of the revoker role, and the trust policies that say who assumes them. */
import { BASE_POLICY_CHARACTERS } from '../../targets/aws.js';
import { parseAction, partitionOfResources, type Role } from '../../targets/aws-names.js';
import { roleOf, type Federation } from './roles.js';

type Condition = Partial<Record<'StringEquals' | 'StringLike' | 'Null', Record<string, string | readonly string[]>>>;

interface Statement {
  Sid: string;
  Effect: 'Allow' | 'Deny';
  /** In trust policies, in place of `Resource`. */
  Principal?: { Federated: string };
  Action: readonly string[];
  Resource?: readonly string[];
  Condition?: Condition;
}

export interface PolicyDocument {
  Version: '2012-10-17';
  Statement: readonly Statement[];
}

/** What the sessions of a role may do at most, as the command line says it. */
export interface Allowance {
  actions: readonly string[];
  resources: readonly string[];
}

/** Actions that reach other identities or other sessions, or give out secrets that work after the session is dead. */
const ESCAPES = [
  'iam:*',
  'organizations:*',
  'account:*',
  'sts:*',
  'signin:*',
  'codeartifact:GetAuthorizationToken',
  'ecr:GetAuthorizationToken',
  's3express:CreateSession',
  's3:GetDataAccess',
  'kms:CreateGrant',
];

/** More of these, and actions that give access to somebody else. Such access would outlive the session and its revocation. */
const GRANTS_TO_OTHERS = [
  'sso:*',
  'sso-directory:*',
  'identitystore:*',
  'rolesanywhere:*',
  'ram:*',
  'ecr-public:GetAuthorizationToken',
  's3:PutBucketPolicy',
  's3:PutBucketAcl',
  's3:PutObjectAcl',
  's3:PutAccessPointPolicy',
  'kms:PutKeyPolicy',
  'lambda:AddPermission',
  'secretsmanager:PutResourcePolicy',
  'dynamodb:PutResourcePolicy',
  'ecr:SetRepositoryPolicy',
  'sns:AddPermission',
  'sqs:AddPermission',
];

/** The deny policy matches session tags, so it would not match a session without tags. Such a session may do nothing. */
const UNTAGGED: Statement = {
  Sid: 'G1',
  Effect: 'Deny',
  Action: ['*'],
  Resource: ['*'],
  Condition: { Null: { 'aws:PrincipalTag/jc': 'true' } },
};

/** Returns a Deny, because only an explicit Deny outweighs what a resource policy allows. */
const denied = (actions: readonly string[]): Statement => ({
  Sid: 'G2',
  Effect: 'Deny',
  Action: actions,
  Resource: ['*'],
});

/** @param partition `aws`, or another cloud of AWS: resources are in the same one as their role. */
export function allowanceStatement({ actions, resources }: Allowance, partition: string): Statement {
  const statement = { Sid: 'Base', Effect: 'Allow', Action: actions, Resource: resources } as const;
  if (actions.length === 0 && resources.length === 0) return placeholder(partition);
  if (actions.length === 0 || resources.length === 0) throw new Error('--action and --on go together.');
  for (const action of actions) refuseAction(action);
  for (const resource of resources) refuseResource(resource, partition);
  return statement;
}

/**
 * Returns the base policy: what the sessions of a role may do at most, and what none of them may. The broker narrows each
 * session.
 */
export function basePolicy(allowance: Statement): PolicyDocument {
  // The guards are short, because they share their quota with the deny policy.
  const document = policyDocument(allowance, UNTAGGED, denied(ESCAPES));
  const size = sizeOf(document);
  if (size <= BASE_POLICY_CHARACTERS) return document;
  throw new Error(
    `The base policy would have ${size} characters, and may have ${BASE_POLICY_CHARACTERS}: the rest of the role's ` +
      'quota is for revocations. Shorten it with "*", or let two roles share the work.',
  );
}

/**
 * Returns the permissions boundary of a role. The revoker can rewrite every inline policy of the role, the base policy too,
 * because IAM cannot limit it to one policy name. So the boundary repeats all of the base policy, and the revoker cannot
 * write it. Whoever steals the revoker's session can let revoked sessions live until their deadline, and can widen nothing.
 */
export const permissionsBoundary = (allowance: Statement): PolicyDocument =>
  policyDocument(allowance, UNTAGGED, denied([...ESCAPES, ...GRANTS_TO_OTHERS]));

/** Each role has a boundary of its own: a shared one would have to allow what any of the roles may. */
export const boundaryArn = ({ partition, account, name }: Role): string =>
  `arn:${partition}:iam::${account}:policy/${name}-boundary`;

/**
 * Returns what the revoker may do: read, write and delete the inline policies of exactly the roles that the broker mints
 * for.
 * @param roles ARNs of the targets of one revoker role. No wildcard: a name that matches by chance must not be writable.
 */
export const revokerPolicy = (roles: readonly string[]): PolicyDocument =>
  policyDocument(
    {
      Sid: 'Write',
      Effect: 'Allow',
      Action: ['iam:PutRolePolicy', 'iam:DeleteRolePolicy'],
      Resource: roles,
      // Whoever can write a role's policy can give the role any permission, so only roles with their boundary are writable.
      Condition: { StringEquals: { 'iam:PermissionsBoundary': roles.map((role) => boundaryArn(roleOf(role))) } },
    },
    // This is a statement of its own, because requests to read do not carry the key of that condition, and would never be
    // allowed under it.
    { Sid: 'Read', Effect: 'Allow', Action: ['iam:GetRolePolicy'], Resource: roles },
  );

/**
 * Returns who may assume a role: workloads, by their `sub`. The deny policy matches tags, so a session must carry all of
 * them from the start. The audience keeps out access tokens that the broker mints for other targets.
 */
export const agentTrust = (federation: Federation): PolicyDocument =>
  policyDocument({
    ...assumedBy(federation, 'Agents'),
    Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'],
    Condition: {
      StringEquals: { [federation.claim('aud')]: federation.audience },
      StringLike: {
        [federation.claim('sub')]: 'wl:*',
        'aws:RequestTag/jc': '?*',
        'aws:RequestTag/jt': '?*',
        'aws:RequestTag/jw': '?*',
      },
    },
  });

/**
 * Returns who may assume the revoker role: the broker, by one exact `sub` that no workload can have. The role may carry no
 * tags, so its session cannot pass for a workload's.
 */
export const revokerTrust = (federations: readonly Federation[]): PolicyDocument =>
  policyDocument(
    ...federations.map((federation, index) => ({
      ...assumedBy(federation, `Revoker${index + 1}`),
      Action: ['sts:AssumeRoleWithWebIdentity', 'sts:SetSourceIdentity'],
      Condition: {
        StringEquals: {
          [federation.claim('aud')]: federation.audience,
          [federation.claim('sub')]: 'broker:revoker',
        },
      },
    })),
  );

/** Returns the size as IAM counts it against its quotas: without white space. */
export const sizeOf = (document: PolicyDocument): number => JSON.stringify(document).replaceAll(/\s/g, '').length;

const policyDocument = (...statements: readonly Statement[]): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: statements,
});

const assumedBy = ({ provider }: Federation, sid: string): Pick<Statement, 'Sid' | 'Effect' | 'Principal'> => ({
  Sid: sid,
  Effect: 'Allow',
  Principal: { Federated: provider },
});

/** No bucket has such a name, in upper case: an administrator who applies it unread gives nothing away. */
const placeholder = (partition: string): Statement => ({
  Sid: 'ReplaceMe',
  Effect: 'Allow',
  Action: ['s3:GetObject'],
  Resource: [`arn:${partition}:s3:::REPLACE-ME/*`],
});

function refuseAction(action: string): void {
  if (parseAction(action) === undefined)
    throw new Error(`--action ${action}: is written <service>:<Action>, with "*" at most at the end.`);
  if (isGuarded(action))
    throw new Error(
      `--action ${action}: is denied by the guards of the role, since what it gives or makes outlives the session.`,
    );
}

/** Returns whether the guards deny the action anyway. IAM compares actions without regard to case. */
const isGuarded = (action: string): boolean =>
  [...ESCAPES, ...GRANTS_TO_OTHERS].some((guarded) =>
    guarded.endsWith(':*')
      ? action.toLowerCase().startsWith(guarded.slice(0, -1))
      : action.toLowerCase() === guarded.toLowerCase(),
  );

function refuseResource(resource: string, partition: string): void {
  if (resource === '*' || partitionOfResources(resource) === partition) return;
  throw new Error(`--on ${resource}: is "*" or the ARN of a resource, beginning with arn:${partition}:.`);
}
