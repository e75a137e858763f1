/**
 * Every time that decides when a role may be minted for, and when the end of a session is effective there. The times depend
 * on each other: test/unit/domain/timing.test.ts states each dependency with its reason. All are in milliseconds.
 */
import { FORGET_MARGIN_MS, HARD_LIMITS } from './limits.js';

// --- Clocks ---

/**
 * AWS judges by its own clock which sessions were issued before a cutoff. The cutoff therefore lies this far ahead of the
 * broker's clock, and minting resumes this long after the cutoff has passed. With clocks up to 5 s apart, no revoked session
 * is accepted and no new session is denied.
 */
export const FENCE_MS = 5_000;

/** If AWS's clock is further away than this, nothing is minted, and no denial is removed. NTP keeps clocks far closer. */
export const AWS_CLOCK_TOLERANCE_MS = 3_000;

/** AWS cuts the times in its answers to whole seconds. */
export const AWS_CLOCK_ROUNDING_MS = 1_000;

// --- Minting ---

/** One call to AWS, with all its attempts, takes no longer. */
export const AWS_CALL_MS = 5_000;

/** One attempt of a call: to connect, and then to get the answer. */
export const AWS_CONNECT_MS = 1_000;
export const AWS_ANSWER_MS = 2_000;

/** The JWT that proves to STS for whom a session is. It is made for one call; whoever steals it can mint until it expires. */
export const STS_PROOF_MS = 60_000;

/** The shortest session that STS makes. The deadline in its session policy ends it earlier. */
export const STS_SESSION_LEAST_MS = 900_000;

/** The minter may be asked this long after the reservation. A broker that stalled for longer must refuse instead. */
export const MINT_BEGINS_WITHIN_MS = 30_000;

/** A reservation that is this old and not active counts as lost: the session may exist, nobody has it, and it is ended. */
export const LOST_AFTER_MS = 60_000;

// --- Minting pauses ---

/** After STS did not answer, or refused because of too many requests, the role backs off for this long. */
export const STS_BUSY_BACK_OFF_MS = 2_000;

/** After STS could not verify the broker's token, which may pass by itself. */
export const STS_UNVERIFIED_BACK_OFF_MS = 5_000;

/** After STS refused because of how the account or the broker is set up. Somebody must change that. */
export const STS_CONFIGURATION_BACK_OFF_MS = 30_000;

/** After an answer of STS showed that AWS's clock is further away than the tolerance. */
export const AWS_CLOCK_BACK_OFF_MS = 30_000;

/** A caller that is refused because nobody has the lease of the role, or because pushes fail, may ask again after this. */
export const UNENFORCEABLE_RETRY_MS = 1_000;

/**
 * How long an SDK is kept waiting for a role before it is refused, and how often the role is looked at meanwhile. boto3 gives up
 * on a connection after two seconds, and for good after three of them.
 */
export const ENFORCEABLE_PATIENCE_MS = 1_200;
export const ENFORCEABLE_POLL_MS = 200;

/** A caller that is refused because the role has all the live sessions it may have, may ask again after this. */
export const FULL_TARGET_RETRY_MS = 60_000;

// --- One broker writes to a role: the lease ---

/** If the broker that holds the lease dies, the next one waits this long. */
export const TARGET_LEASE_MS = 20_000;

/** The holder takes the lease anew as soon as less than this is left. */
export const TARGET_LEASE_RENEWED_BELOW_MS = 14_000;

// --- Pushing ---

/** A push takes no longer: one call to STS for a session of the revoker role, and one to IAM. */
export const PUSH_MS = 10_000;

/** The pause between two pushes to one role. IAM is made for configuration, not for a write whenever something dies. */
export const PUSH_PAUSE_MS = 1_000;

/** After failed pushes the pause doubles, up to this. */
export const PUSH_RETRY_MAX_MS = 10_000;

/** A role to which pushes have failed for this long gets no new sessions: they could not be revoked. */
export const FAILING_LIMIT_MS = 30_000;

/** All sessions are looked at again after this, even if nothing was published in the revocation log. */
export const FULL_LOOK_MS = 10_000;

/** A denial that is no longer needed does no harm. A push only to remove it waits until the last push is this old. */
export const TIDY_AFTER_MS = 60_000;

/** The broker's own session at AWS, with which it writes deny policies. */
export const REVOKER_SESSION_MS = 3_600_000;

/** With less than this left, that session is not used any more: a push that begins with it must also end with it. */
export const REVOKER_SESSION_MARGIN_MS = 60_000;

// --- When an end is effective ---

/** A written policy counts as effective after this. IAM is eventually consistent, usually within a few seconds. */
export const PROPAGATION_MS = 15_000;

/** A session that ends anyway within this time causes no push of its own: it would expire before the push is effective. */
export const RESIDUAL_MS = 15_000;

/** AWS's clock may be behind the broker's: a dead session stays denied for this long after it expired. */
export const DENIED_AFTER_EXPIRY_MS = 60_000;

/** The cutoff of a whole role stays in its policy for this long. No session that was issued before it lives longer. */
export const CUTOFF_DENIED_MS = HARD_LIMITS.credentialLifetimeSeconds * 1000 + FORGET_MARGIN_MS;
