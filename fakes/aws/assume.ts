/** Parameters and refusals that all ways to assume a role share. */
import type { Account } from './account.js';
import { AwsError, validationError } from './aws-error.js';
import type { Context } from './condition.js';
import type { Parameters } from './parameters.js';
import type { Role } from './role.js';
import { readSessionPolicy } from './session-policy.js';
import type { SessionPolicy } from './session.js';
import { checkName, requestTagContext, type SessionTags } from './session-tags.js';

export interface AssumeWish {
  role: Role;
  roleSessionName: string;
  durationSeconds: number;
  policy: SessionPolicy | undefined;
}

export function readAssumeWish(account: Account, parameters: Parameters, operation: string): AssumeWish {
  const arn = parameters.required('RoleArn');
  const roleSessionName = checkName('roleSessionName', parameters.required('RoleSessionName'));
  const policy = readSessionPolicy(parameters.optional('Policy'));
  const durationSeconds = parameters.integer('DurationSeconds', 3_600);
  const role = account.roles.find((one) => one.arn === arn);
  // As AWS answers it: whether a role exists is nobody's business who may not assume it.
  if (!role) throw notAuthorized(`sts:${operation}`);
  if (durationSeconds < 900)
    throw validationError(`Value at 'durationSeconds' failed to satisfy constraint: at least 900`);
  if (durationSeconds > role.maxSessionSeconds)
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role');
  return { role, roleSessionName, durationSeconds, policy };
}

/** Tags and source identity want actions of their own to be allowed, or the whole call fails. */
export const actionsOf = (operation: string, tags: SessionTags, sourceIdentity: string | undefined): string[] => [
  `sts:${operation}`,
  ...(tags.values.size > 0 ? ['sts:TagSession'] : []),
  ...(sourceIdentity === undefined ? [] : ['sts:SetSourceIdentity']),
];

/** The keys about the new session. The same for each of the actions: whether AWS does that too is not known. */
export const assumeContext = (roleSessionName: string, tags: SessionTags, sourceIdentity?: string): Context => ({
  ...requestTagContext(tags),
  'sts:RoleSessionName': roleSessionName,
  'sts:SourceIdentity': sourceIdentity,
});

export const notAuthorized = (action: string): AwsError =>
  new AwsError('AccessDenied', `Not authorized to perform ${action}`, 403);
