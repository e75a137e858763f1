/**
 * The inline policy of a role that denies everything to dead sessions. It is a pure function of all denials, and is always
 * written as a whole, so a write that is repeated changes nothing.
 */
import type { Denials } from '../minter.js';
import { BASE_POLICY_CHARACTERS } from '../../targets/aws.js';
import { toInstant } from './context.js';
import { credentialTag, taskTag } from './tags.js';

export const DENY_POLICY_NAME = 'JitRevocations';

/** The quota of IAM for all inline policies of a role together, without white space ("total aggregate policy size per role"). */
const ROLE_POLICY_CHARACTERS = 10_240;

export const DENY_POLICY_CHARACTERS = ROLE_POLICY_CHARACTERS - BASE_POLICY_CHARACTERS;

/**
 * Returns the text of the policy; undefined if nothing is denied, since the role then has no such policy.
 * @param fence The fence of the lease of this writer. It is part of the text, so that readers see who wrote the policy.
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

/** Returns how full the policy is. Above 1, IAM refuses it. */
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
