/** The report of `mayfly check-policy`: every problem with its place, and a summary of the directory. */
import { defined } from '../../domain/defined.js';
import type { PolicyProblem } from '../policy-engine.js';
import type { Configured } from './fit.js';
import { loadPolicies } from './load-policies.js';

interface PolicyCheck {
  problems: PolicyProblem[];
  /** Policies that never apply as long as no target has labels, or tags. */
  notes: PolicyProblem[];
  summary: { permits: number; forbids: number; ids: string[]; digest?: string };
  /** The groups whose people any of the policies asks. */
  asks: string[];
}

export async function checkPolicies(directory: string, configured: Configured): Promise<PolicyCheck> {
  const { policies, problems, notes, set } = await loadPolicies(directory, configured);
  const permits = policies.filter(({ rule }) => rule.effect === 'permit').length;
  return {
    problems,
    notes,
    asks: [...new Set(policies.flatMap(({ rule }) => rule.approval ?? []))],
    summary: defined({
      permits,
      forbids: policies.length - permits,
      ids: policies.map(({ id }) => id),
      digest: set?.digest,
    }),
  };
}
