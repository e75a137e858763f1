/**
 * The inline policy of a role that denies everything to the sessions that must not be used any more. It is always the whole
 * of it, a pure function of what is dead, so writing it twice is writing it once.
 */
import type { Denials } from '../minter.js';
import { toInstant } from './context.js';
import { credentialTag, taskTag } from './tags.js';

export const DENY_POLICY_NAME = 'JitRevocations';

/** IAM: "the total aggregate policy size per role", over all its inline policies, without white space. */
const ROLE_POLICY_CHARACTERS = 10_240;

/** What the other inline policies of the role may take together: the recommended base policy has 437. */
export const BASE_POLICY_CHARACTERS = 700;

export const DENY_POLICY_CHARACTERS = ROLE_POLICY_CHARACTERS - BASE_POLICY_CHARACTERS;

/**
 * @param fence Rises with each writer, and is written along: who reads the policy sees whose it is.
 * @returns Undefined where nothing is to be denied: then the role has no such policy.
 */
export function denyPolicy(denials: Denials, fence: number): string | undefined {
  const [first, ...rest] = conditions(denials).map((Condition) => ({
    Effect: 'Deny',
    Action: '*',
    Resource: '*',
    Condition,
  }));
  if (!first) return undefined;
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: `r${fence}`, ...first }, ...rest] });
}

/** How full the policy is: above 1 IAM does not take it. */
export const denyPolicyFill = (denials: Denials): number =>
  (denyPolicy(denials, Number.MAX_SAFE_INTEGER)?.length ?? 0) / DENY_POLICY_CHARACTERS;

const conditions = ({ credentials, tasks, workloads, issuedBefore }: Denials): object[] => [
  ...tagIs('jc', credentials.map(credentialTag)),
  ...tagIs('jt', tasks.map(taskTag)),
  ...tagIs('jw', workloads),
  ...(issuedBefore === undefined ? [] : [{ DateLessThan: { 'aws:TokenIssueTime': toInstant(issuedBefore) } }]),
];

const tagIs = (key: string, values: readonly string[]): object[] =>
  values.length === 0 ? [] : [{ StringEquals: { [`aws:PrincipalTag/${key}`]: values } }];
