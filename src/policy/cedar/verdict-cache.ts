/**
 * Remembers verdicts. Sound because engines are pure: the key is the whole question (see question-key.ts), and a new policy
 * set begins with an empty cache. The least recently asked goes first.
 */
import type { Verdict } from '../policy-engine.js';

export interface VerdictCache {
  remember(key: string, decide: () => Verdict): Verdict;
}

export function verdictCache(verdictsMax: number): VerdictCache {
  const verdicts = new Map<string, Verdict>();
  return {
    remember(key, decide) {
      const known = verdicts.get(key);
      if (known) verdicts.delete(key);
      const verdict = known ?? frozen(decide());
      verdicts.set(key, verdict);
      if (verdicts.size > verdictsMax) verdicts.delete(oldest(verdicts));
      return verdict;
    },
  };
}

const oldest = (verdicts: Map<string, Verdict>): string => verdicts.keys().next().value ?? '';

/** Callers share it. */
function frozen(verdict: Verdict): Verdict {
  Object.freeze(verdict.policies);
  if (verdict.approvals) Object.freeze(verdict.approvals);
  return Object.freeze(verdict);
}
