/** Policy, for a request that asks the same of it again and again: what a caller may do is asked once, and holds for all of the request. */
import type { PolicyEngine, Verdict } from '../policy/policy-engine.js';

/** Questions about access are asked each time: what they are about is another each time. */
export function askedOnce(policy: PolicyEngine): PolicyEngine {
  const verdicts = new Map<string, Promise<Verdict>>();
  return {
    ...policy,
    decide(query, options) {
      const { principal, action, resource, context } = query;
      if (context.kind === 'access') return policy.decide(query, options);
      const question = JSON.stringify([principal.id, action, resource, context]);
      const verdict = verdicts.get(question) ?? policy.decide(query, options);
      verdicts.set(question, verdict);
      return verdict;
    },
  };
}
