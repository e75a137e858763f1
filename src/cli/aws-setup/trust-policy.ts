/** Who may assume the roles. The broker signs for both; the namespace of `sub` keeps the power to use from the power to revoke. */
import type { Federation } from './federation.js';
import { policyDocument, type PolicyDocument, type Statement } from './policy-document.js';

/**
 * A session without its tags could not be ended early, since the deny policy names tags: it must not begin. And only what
 * was signed for AWS counts: access tokens that the broker mints have another `aud`.
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

/** By equality, not likeness: no workload can come to be called so. It may carry no tags, so it can pass for no agent. */
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

const assumedBy = ({ provider }: Federation, sid: string): Pick<Statement, 'Sid' | 'Effect' | 'Principal'> => ({
  Sid: sid,
  Effect: 'Allow',
  Principal: { Federated: provider },
});
