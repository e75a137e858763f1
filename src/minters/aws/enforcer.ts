/** Enforces revocations at AWS: one inline policy of each role denies everything to the sessions that are dead. */
import { isDeepStrictEqual } from 'node:util';
import type { AwsTarget } from '../../config/target-schema.js';
import { BrokerError } from '../../domain/errors.js';
import type { Enforcer } from '../minter.js';
import { BASE_POLICY_CHARACTERS } from '../../targets/aws.js';
import type { AwsContext } from './context.js';
import { denyPolicy, denyPolicyFill } from './deny-policy.js';
import { IamFailure, type Iam } from './iam.js';
import { revokerSessions } from './revoker-session.js';

export function createEnforcer(context: AwsContext): Enforcer {
  const sessionFor = revokerSessions(context);
  const sessions = new Map(context.targets.map((target) => [target.resource, sessionFor(target)]));

  const atRole = async <T>(target: string, use: (iam: Iam, role: string) => Promise<T>): Promise<T> => {
    const session = sessions.get(target);
    if (!session) throw new Error('the target is no role of this broker');
    const iam = await session.current();
    try {
      return await use(iam, nameOf(target));
    } catch (thrown) {
      if (!(thrown instanceof IamFailure)) throw thrown;
      const { name, trace } = thrown.answer;
      if (SESSION_REJECTED.has(name)) session.drop(iam);
      context.warn({ target, what: 'deny-policy', advice: ADVICE.get(name) ?? TRIED_AGAIN, answer: thrown.message });
      const text = 'AWS IAM does not answer for the deny policy of the role.';
      throw new BrokerError('temporarily_unavailable', text, { cause: trace });
    }
  };

  return {
    clockAgrees: () => context.awsClock.agrees(),
    fill: (_target, denials) => denyPolicyFill(denials),
    enforce: (target, denials, fence) =>
      atRole(target, (iam, role) => {
        const wanted = denyPolicy(denials, fence);
        return wanted === undefined ? iam.remove(role) : iam.put(role, wanted);
      }),
    isInForce: (target, denials, fence) =>
      atRole(target, async (iam, role) => {
        const found = await iam.get(role);
        const wanted = denyPolicy(denials, fence);
        return found === undefined || wanted === undefined ? found === wanted : isSame(found, wanted);
      }),
  };
}

/** Returns the name of a role without its path, as IAM's calls take it. */
const nameOf = (roleArn: AwsTarget['resource']): string => roleArn.slice(roleArn.lastIndexOf('/') + 1);

/** @param found The document as GetRolePolicy returns it: URL-encoded (RFC 3986). One that cannot be read is not ours. */
function isSame(found: string, wanted: string): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(decodeURIComponent(found)), JSON.parse(wanted));
  } catch {
    return false;
  }
}

const SESSION_REJECTED = new Set(['ExpiredToken', 'InvalidClientTokenId', 'UnrecognizedClient']);

const TRIED_AGAIN = 'The broker tries again. Until it succeeds, revoked sessions live until their deadline.';
const ADVICE = new Map([
  [
    'AccessDenied',
    'aws.revokerRole must be allowed iam:PutRolePolicy, iam:DeleteRolePolicy and iam:GetRolePolicy on the role.',
  ],
  ['NoSuchEntity', 'There is no such role in the account.'],
  [
    'LimitExceeded',
    `The other inline policies of the role must not take more than ${BASE_POLICY_CHARACTERS} characters.`,
  ],
]);
