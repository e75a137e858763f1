/** The policy port: may this party do this? An engine is pure: the same query to the same policy set has the same verdict. */
import type { NeededApproval } from '../domain/approval.js';
import type { PolicyOutcome } from '../domain/policy-outcome.js';
import type { PolicyQuery } from './query.js';

export interface PolicyEngine {
  /**
   * Throws `temporarily_unavailable` where the engine gives no answer: that is no verdict, so nobody is denied anything by policy,
   * and nothing is permitted.
   */
  decide(query: PolicyQuery, options?: DecideOptions): Promise<Verdict>;
  /** How many questions are worth asking at once: one of an engine in this process. */
  readonly atOnce: number;
  /** Begins the time that one decision may take. Absent where the engine is in this process. */
  timeLimit?(): TimeLimit;
  /**
   * Returns the most evaluations that the verdicts on these queries can take, before any is done. Undefined: they are more
   * than one request may need (HARD_LIMITS.policyEvaluations), and `decide` would refuse.
   */
  evaluationsOf(queries: readonly PolicyQuery[]): number | undefined;
  /**
   * Returns whether the policy set knows the action as one that can be granted; a request for any other is the caller's
   * mistake.
   */
  isGrantable(action: string): boolean;
  /** SHA-256 (base64url) of the policy set now in force. Empty as long as an engine elsewhere has not answered yet. */
  readonly digest: string;
  /** What an engine elsewhere calls that policy set. */
  readonly named?: string | undefined;
  /** Returns a text that changes when a reload would find other policies, or an engine elsewhere that fails or answers again. */
  source(): Promise<string>;
  /**
   * Returns whether an engine elsewhere answers at all: it is asked the plainest question. Absent where the engine is in this process. It
   * tells an engine that is away from one that fails at a question, which an agent may have chosen.
   */
  answers?(): Promise<boolean>;
  /** Reads the policies again: all of them come into force, or nothing changes. Concurrent reloads run one after the other. */
  reload(): Promise<PolicyReload>;
}

/** How a question is asked. */
export interface DecideOptions {
  /** Nobody has asked that, it only helps to explain a refusal. */
  supposed?: true;
  /** That of the decision which the question is a part of: all its questions are answered within it, together. */
  timeLimit?: TimeLimit;
}

export interface TimeLimit {
  leftMs(): number;
}

export interface PolicyReload {
  /** Of the policy set that is in force afterwards. */
  digest: string;
  /** Empty when the policies were taken; otherwise the earlier ones stay in force. */
  problems: readonly PolicyProblem[];
  /** Why an engine elsewhere does not answer. Until it does, nothing is decided. */
  outage?: string;
}

/** A mistake in the policies, with its place. */
export interface PolicyProblem {
  file: string;
  /** Counted from 1. */
  line: number;
  reason: string;
}

/**
 * Why a query is refused. `no-permit`: no permit applies, or what refuses is secret. `other-purpose`: no permit applies to this
 * purpose, and the policies named permit the same for another. `failed`: a policy could not be evaluated.
 */
export interface Because {
  why: 'no-permit' | 'other-purpose' | 'forbidden' | 'failed';
  /** Ids of policies, without those that the caller may not know of. Empty with `no-permit`, and never otherwise. */
  policies: string[];
}

export interface Verdict {
  outcome: PolicyOutcome;
  /** With `permit`, and with what would be one once it is approved: the most seconds that policy allows, never more than the query asks for. */
  lifetimeSeconds?: number;
  /** With `needs-approval`: the groups whose approval would turn it into a permit, and what is wanted of each. */
  needs?: NeededApproval[];
  /** With `needs-approval`: ids of the policies that want it. */
  wantedBy?: string[];
  /** Ids of the policies that decided; empty when no policy applied. */
  policies: string[];
  /** With `deny`: why, as far as the caller may know it. */
  because?: Because;
  /** With `deny`: a policy could not be evaluated, whether or not the caller may know of it. So nobody knows whether policy refuses. */
  failed?: true;
  /** The caller may not know of one of the policies that decided. */
  secret?: true;
  /** SHA-256 (base64url) of the policy set that decided. */
  digest: string;
}
