/**
 * Constants of the code. Configuration may only tighten them: what may be forgotten, and when, is computed from these,
 * so an operator who raises a setting after the fact can never make a forgotten revocation matter again.
 */
export const HARD_LIMITS = {
  credentialLifetimeSeconds: 3_600,
  taskLifetimeSeconds: 28_800,
  delegationDepth: 8,
  clockSkewSeconds: 60,
  pairsPerRequest: 32,
  pathSegments: 8,
  pathCharacters: 256,
  subjectTokenBytes: 16 * 1024,
  bodyBytes: 64 * 1024,
} as const;

/** How long ended records stay readable. */
export const HISTORY_MS = 86_400_000;

/** Added to every moment after which something may be forgotten: room for clocks that disagree. */
export const FORGET_MARGIN_MS = 120_000;

/** How long the id of a publication is known. Longer than any task: ending or suspending it again must find the first time. */
export const PUBLICATIONS_KNOWN_MS = HARD_LIMITS.taskLifetimeSeconds * 1000 + FORGET_MARGIN_MS;
