/** The words for where a task stands: it lives, or how it ended, which its record says, and so does the log. */
/** The states of a task that has not ended. One that is suspended may be resumed. */
export const LIVE_STATES = ['open', 'suspended'];
export const isLive = (state) => LIVE_STATES.some((one) => one === state);
/** The outcomes that a caller may declare. */
export const DECLARED_OUTCOMES = ['completed', 'failed', 'cancelled'];
/**
 * The broker alone sets the other two. `expired`: at its deadline, or after missed heartbeats. `revoked`: by an operator, a
 * signal or a detector.
 */
export const OUTCOMES = [...DECLARED_OUTCOMES, 'expired', 'revoked'];
