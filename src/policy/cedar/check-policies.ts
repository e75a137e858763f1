/** The report of `mayfly check-policy`: every problem with its place, and a summary of the directory. */
import { defined } from '../../domain/defined.js';
import type { PolicyProblem } from '../policy-engine.js';
import { loadPolicies, type PolicyTarget } from './load-policies.js';

interface PolicyCheck {
  problems: PolicyProblem[];
  summary: { permits: number; forbids: number; ids: string[]; digest?: string };
}

export async function checkPolicies(directory: string, targets: readonly PolicyTarget[]): Promise<PolicyCheck> {
  const { policies, problems, set } = await loadPolicies(directory, targets);
  const permits = policies.filter(({ rule }) => rule.effect === 'permit').length;
  return {
    problems,
    summary: defined({
      permits,
      forbids: policies.length - permits,
      ids: policies.map(({ id }) => id),
      digest: set?.digest,
    }),
  };
}
