/** What policy says to a question. `needs-approval`: only people who are not part of the request can still permit it. */
export const POLICY_OUTCOMES = ['permit', 'deny', 'needs-approval'] as const;
export type PolicyOutcome = (typeof POLICY_OUTCOMES)[number];
