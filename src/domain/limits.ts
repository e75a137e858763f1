/**
 * Constants of the code, which configuration can only tighten. The moment after which a revocation may be forgotten is computed
 * from them. Otherwise a setting that is raised later could let a credential outlive the revocation that ended it.
 */
import { DAY_MS } from './time.js';

export const HARD_LIMITS = {
  credentialLifetimeSeconds: 3_600,
  taskLifetimeSeconds: 28_800,
  /** From the `iat` of a proof of identity. Cutoffs of parties are remembered for so long. */
  proofAgeSeconds: 86_400,
  /** Of shadow credentials (`mayfly drill`). Their tombstones are remembered for no longer. */
  drillSeconds: 600,
  delegationDepth: 8,
  clockSkewSeconds: 60,
  /** Pairs of path and action. It is also the most details, scope tokens, and actions of one detail: more are refused unread. */
  pairsPerRequest: 32,
  /** By policy, for one request. Patterns take many: one for each part that policies or labels tell apart. */
  policyEvaluations: 96,
  /** Of what policy was told for a decision, as the audit log keeps it. Above that it is not kept. */
  decisionFactsCharacters: 4_096,
  /** Questions in one call of AuthZEN's evaluations. */
  evaluationsPerCall: 100,
  /** Values in what an API says of one entity of an evaluation, or of its context; of a list each entry is one. */
  propertyValues: 128,
  /** Parts of the path of a request, between slashes. */
  urlParts: 64,
  /** Parameters of a form or a query string. */
  parameters: 64,
  /** How deep JSON nests, in bodies, parameters, tokens and key documents alike. */
  jsonDepth: 32,
  /** Values in a JSON body or parameter. The largest request that means something has half as many. */
  jsonValues: 1_024,
  /** Values in a call with many evaluations: each has a dozen, and what its asker adds. */
  jsonValuesOfEvaluations: 4_096,
  pathSegments: 8,
  pathCharacters: 256,
  /** Handles, such as access key ids, that are looked for in one text. */
  handlesPerText: 8,
  subjectTokenBytes: 16 * 1024,
} as const;

/** So many evaluations by policy cost one request of the rate: a request that needs 40 counts as 3. */
export const EVALUATIONS_PER_POINT = 16;

/** Records of ended tasks and expired credentials stay readable for this long. */
export const HISTORY_MS = DAY_MS;

/** `audit.retentionDays`, unless it is set. */
export const AUDIT_RETENTION_DAYS = 30;

/** This is added to each moment after which something may be forgotten, because the clocks of brokers differ. */
export const FORGET_MARGIN_MS = 120_000;

/**
 * The log knows the id of a publication for this long. It is longer than any task, so that a task that is ended twice has one
 * entry.
 */
export const PUBLICATIONS_KNOWN_MS = HARD_LIMITS.taskLifetimeSeconds * 1000 + FORGET_MARGIN_MS;

/**
 * How much longer than it is needed the memory of reactions and risks is kept. A store leaves out what has expired by the clock of
 * the broker that reads, and a broker whose clock is ahead must not forget for all what holds somebody back.
 */
export const AHEAD_AT_MOST_MS = DAY_MS;
