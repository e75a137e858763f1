/**
 * Constants of the code, which configuration can only tighten. The moment after which a revocation may be forgotten is computed
 * from them. Otherwise a setting that is raised later could let a credential outlive the revocation that ended it.
 */
import { DAY_MS } from './time.js';

export const HARD_LIMITS = {
  credentialLifetimeSeconds: 3_600,
  taskLifetimeSeconds: 28_800,
  delegationDepth: 8,
  clockSkewSeconds: 60,
  pairsPerRequest: 32,
  /** By policy, for one request. Patterns take many: one for each part that policies or labels tell apart. */
  policyEvaluations: 128,
  pathSegments: 8,
  pathCharacters: 256,
  subjectTokenBytes: 16 * 1024,
  bodyBytes: 64 * 1024,
} as const;

/** A request of a workload costs as much of its rate as so many requests that need this many evaluations by policy each. */
export const EVALUATIONS_PER_POINT = 16;

/** Records of ended tasks and expired credentials stay readable for this long. */
export const HISTORY_MS = DAY_MS;

/** This is added to each moment after which something may be forgotten, because the clocks of brokers differ. */
export const FORGET_MARGIN_MS = 120_000;

/**
 * The log knows the id of a publication for this long. It is longer than any task, so that a task that is ended twice has one
 * entry.
 */
export const PUBLICATIONS_KNOWN_MS = HARD_LIMITS.taskLifetimeSeconds * 1000 + FORGET_MARGIN_MS;
