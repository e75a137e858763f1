/** STS GetCallerIdentity. Every live session gets an answer: no policy can deny this operation. */
import type { Result, SignedCall } from './operation.js';
import { sessionArn } from './session.js';

export function getCallerIdentity({ account, parameters, caller }: SignedCall): Result {
  parameters.finish();
  return {
    UserId: `${caller.role.id}:${caller.roleSessionName}`,
    Account: account.id,
    Arn: sessionArn(caller, account),
  };
}
