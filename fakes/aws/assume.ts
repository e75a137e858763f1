/** Parameters and refusals that all operations to assume a role share. */
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
  // AWS gives the same answer, so that a caller who may not assume a role does not learn whether it exists.
  if (!role) throw notAuthorized(`sts:${operation}`);
  if (durationSeconds < 900)
    throw validationError(`Value at 'durationSeconds' failed to satisfy constraint: at least 900`);
  if (durationSeconds > role.maxSessionSeconds)
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role');
  return { role, roleSessionName, durationSeconds, policy };
}

/** Tags and the source identity need permissions of their own. Without them the whole call fails. */
export const actionsOf = (operation: string, tags: SessionTags, sourceIdentity: string | undefined): string[] => [
  `sts:${operation}`,
  ...(tags.values.size > 0 ? ['sts:TagSession'] : []),
  ...(sourceIdentity === undefined ? [] : ['sts:SetSourceIdentity']),
];

/** The condition keys about the new session. They are the same for each action; whether AWS does that too is not known. */
export const assumeContext = (roleSessionName: string, tags: SessionTags, sourceIdentity?: string): Context => ({
  ...requestTagContext(tags),
  'sts:RoleSessionName': roleSessionName,
  'sts:SourceIdentity': sourceIdentity,
});

export const notAuthorized = (action: string): AwsError =>
  new AwsError('AccessDenied', `Not authorized to perform ${action}`, 403);
