/** What policy says to a question. `needs-approval`: only people who are not part of the request can still permit it. */
export const POLICY_OUTCOMES = ['permit', 'deny', 'needs-approval'] as const;
export type PolicyOutcome = (typeof POLICY_OUTCOMES)[number];

/** Why a policy engine elsewhere has given no answer that can be believed. It is no outcome: policy has not said anything. */
export const POLICY_SILENCES = [
  'timeout',
  'unreachable',
  'busy',
  'status',
  'too-large',
  'content-type',
  'undefined',
  'malformed',
] as const;
export type PolicySilence = (typeof POLICY_SILENCES)[number];
