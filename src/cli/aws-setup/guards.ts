/** What no session may do, whatever else it is allowed. Denies, since only these outweigh what a resource policy grants. */
import type { Statement } from './policy-document.js';

/** Other identities, other sessions, and secrets that live on when the session is dead. */
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

/** More of these, and grants to somebody else: they would outlive the session, and whoever revoked it. */
const BEQUESTS = [
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

/** The deny policy names tags, and would not match a session that has none. */
const UNTAGGED: Statement = {
  Sid: 'G1',
  Effect: 'Deny',
  Action: ['*'],
  Resource: ['*'],
  Condition: { Null: { 'aws:PrincipalTag/jc': 'true' } },
};

const denied = (actions: readonly string[]): Statement => ({
  Sid: 'G2',
  Effect: 'Deny',
  Action: actions,
  Resource: ['*'],
});

/** Short: they stand in the role, beside the deny policy, and share its quota. */
export const GUARDS: readonly Statement[] = [UNTAGGED, denied(ESCAPES)];

export const BOUNDARY_GUARDS: readonly Statement[] = [UNTAGGED, denied([...ESCAPES, ...BEQUESTS])];

/** Whether allowing this would be in vain. IAM takes actions in any case of letters. */
export const isGuarded = (action: string): boolean =>
  [...ESCAPES, ...BEQUESTS].some((guarded) =>
    guarded.endsWith(':*')
      ? action.toLowerCase().startsWith(guarded.slice(0, -1))
      : action.toLowerCase() === guarded.toLowerCase(),
  );
