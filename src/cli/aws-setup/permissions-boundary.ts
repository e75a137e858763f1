/**
 * The permissions boundary of a role. The revoker may rewrite any inline policy of the role, the base policy too: IAM cannot
 * bind it to one name. So all of the base policy is said again here, where the revoker cannot write: a stolen revoker can bring
 * the revoked back until their deadline, and widen nothing.
 */
import type { Role } from '../../targets/aws.js';
import { BOUNDARY_GUARDS } from './guards.js';
import { policyDocument, type PolicyDocument, type Statement } from './policy-document.js';

export const permissionsBoundary = (allowance: Statement): PolicyDocument =>
  policyDocument(allowance, ...BOUNDARY_GUARDS);

/** One for each role: a shared one would cap none of them as narrowly. */
export const boundaryArn = ({ partition, account, name }: Role): string =>
  `arn:${partition}:iam::${account}:policy/${name}-boundary`;
