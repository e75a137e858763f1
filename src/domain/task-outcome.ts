/** How a task ended: its record says it, and so does the log. */

/** The outcomes that a caller may declare. */
export const DECLARED_OUTCOMES = ['completed', 'failed', 'cancelled'] as const;

/**
 * The broker alone sets the other two. `expired`: at its deadline, or after missed heartbeats. `revoked`: by an operator, a
 * signal or a detector.
 */
export const OUTCOMES = [...DECLARED_OUTCOMES, 'expired', 'revoked'] as const;
export type Outcome = (typeof OUTCOMES)[number];
