/** What the revoker may do: read, write and delete the inline policies of exactly the roles that the broker mints for. */
import { boundaryArn } from './permissions-boundary.js';
import { roleOf } from './federation.js';
import { policyDocument, type PolicyDocument } from './policy-document.js';

/** @param roles ARNs of the targets of one revoker role. Without wildcard: a name that fits by chance must not be writable. */
export const revokerPolicy = (roles: readonly string[]): PolicyDocument =>
  policyDocument(
    {
      Sid: 'Write',
      Effect: 'Allow',
      Action: ['iam:PutRolePolicy', 'iam:DeleteRolePolicy'],
      Resource: roles,
      // Whoever can write a role's policy is the role, and more: nothing is writable that no boundary caps.
      Condition: { StringEquals: { 'iam:PermissionsBoundary': roles.map((role) => boundaryArn(roleOf(role))) } },
    },
    // Apart: reading does not know the key of the condition, and would never be allowed under it.
    { Sid: 'Read', Effect: 'Allow', Action: ['iam:GetRolePolicy'], Resource: roles },
  );
