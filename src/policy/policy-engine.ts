/** The policy port: may they? Engines are pure: the same question to the same policy set has the same answer. */
import type { PolicyQuery } from './query.js';

export interface PolicyEngine {
  decide(query: PolicyQuery): Promise<Verdict>;
  /** Whether this is an action that can be granted (`in Action::"access"`); anything else is a caller's mistake. */
  isGrantable(action: string): boolean;
  /** SHA-256 (base64url) of the policy set now in force. */
  readonly digest: string;
}

export interface Verdict {
  outcome: 'permit' | 'deny' | 'needs-approval';
  /** With `permit`: the most seconds policy allows, never more than asked. */
  lifetimeSeconds?: number;
  /** With `needs-approval`: the groups whose approval would turn it into a permit. */
  approvals?: string[];
  /** Ids of the policies that decided it; empty when nothing permitted. */
  policies: string[];
  /** The policy set that made it. */
  digest: string;
}
