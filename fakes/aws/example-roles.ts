/** Example roles: agents whose sessions can be revoked, and the revoker role that may write their policies. */
import type { RoleOptions } from './options.js';
import type { TrustPolicy } from './policy-document.js';

export interface ExampleWish {
  account: string;
  /** The issuer of the provider, without its scheme. */
  issuerName: string;
  audience: string;
}

export const agentArn = (account: string, name = 'agent-0'): string => `arn:aws:iam::${account}:role/jit/${name}`;
export const revokerArn = (account: string): string => `arn:aws:iam::${account}:role/jit-revoker`;
const boundaryArn = (account: string): string => `arn:aws:iam::${account}:policy/jit-boundary`;

/** A role that may do anything with S3. A session without the tag `jc` may do nothing, and no session may extend its permissions. */
export const agentRole = (wish: ExampleWish, name?: string): RoleOptions => ({
  arn: agentArn(wish.account, name),
  boundary: boundaryArn(wish.account),
  trust: federatedTrust(wish, 'wl:*', ['jc', 'jt', 'jw']),
  base: {
    Version: '2012-10-17',
    Statement: [
      { Sid: 'Base', Effect: 'Allow', Action: 's3:*', Resource: '*' },
      {
        Sid: 'G1',
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { Null: { 'aws:PrincipalTag/jc': 'true' } },
      },
      { Sid: 'G2', Effect: 'Deny', Action: ['iam:*', 'organizations:*', 'account:*', 'sts:*'], Resource: '*' },
    ],
  },
});

/** Reading has a statement of its own, since requests to read do not carry the key `iam:PermissionsBoundary`. */
export const revokerRole = (wish: ExampleWish): RoleOptions => {
  const Resource = agentArn(wish.account, 'agent-*');
  return {
    arn: revokerArn(wish.account),
    trust: federatedTrust(wish, 'broker:revoker', []),
    base: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['iam:PutRolePolicy', 'iam:DeleteRolePolicy'],
          Resource,
          Condition: { StringEquals: { 'iam:PermissionsBoundary': boundaryArn(wish.account) } },
        },
        { Effect: 'Allow', Action: 'iam:GetRolePolicy', Resource },
      ],
    },
  };
};

function federatedTrust(wish: ExampleWish, subjects: string, tagKeys: readonly string[]): TrustPolicy {
  const tags = Object.fromEntries(tagKeys.map((key) => [`aws:RequestTag/${key}`, '?*']));
  return {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { Federated: `arn:aws:iam::${wish.account}:oidc-provider/${wish.issuerName}` },
      Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'],
      Condition: {
        StringEquals: { [`${wish.issuerName}:aud`]: wish.audience },
        StringLike: { [`${wish.issuerName}:sub`]: subjects, ...tags },
      },
    },
  };
}
