/** STS GetCallerIdentity: answered to every live session; no policy can deny it. */
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
