/** A signal: something observed elsewhere, or by a detector here, about somebody or something that the broker may know. */
import { z } from 'zod';
import { sha256Bytes } from './digest.js';
import { newId, shardOfDigest } from './id.js';
import { moment, natural, selectorSchema } from './schemas.js';

/** What transmitters tell (CAEP 1.0, RISC 1.0), by the last part of the event's URI. */
export const FOREIGN_EVENTS = [
  'session-revoked',
  'credential-change',
  'risk-level-change',
  'device-compliance-change',
  'account-disabled',
  'credential-compromise',
  'sessions-revoked',
] as const;

/** What this broker notices by itself. */
export const DETECTOR_EVENTS = [
  'use-after-end',
  'out-of-scope',
  'denial-burst',
  'mint-spike',
  'many-places',
  'ended-identity',
  'canary-used',
] as const;
export type DetectorEvent = (typeof DETECTOR_EVENTS)[number];

/** The source of what this broker notices by itself. */
export const DETECTOR = 'detector';

/** About the stream itself (SSF 1.0), and whatever is not understood: recorded, never acted upon. */
const OTHER_EVENTS = ['verification', 'stream-updated', 'unknown'] as const;

export const SIGNAL_EVENTS = [...FOREIGN_EVENTS, ...DETECTOR_EVENTS] as const;

export const LEVELS = ['LOW', 'MEDIUM', 'HIGH'] as const;
export type Level = (typeof LEVELS)[number];

/** What became of it. `accepted`: nobody has looked at it yet. */
export const SIGNAL_STATES = [
  'accepted',
  /** No reaction wanted anything done, or none could be. */
  'recorded',
  /** A reaction that only watches: it says what it would have done. */
  'observed',
  /** Somebody else must say so too. */
  'waiting',
  /** Too much would die at once: a person must confirm it. */
  'pending',
  'reacted',
  'dismissed',
] as const;

/** What a reaction did, or would do. */
export const reactionSchema = z.strictObject({
  rule: z.string(),
  do: z.enum(['end', 'cutoff', 'hold', 'risk', 'record']),
  selector: selectorSchema.optional(),
  /** With `risk`: the level it is set to. */
  level: z.enum(LEVELS).optional(),
  /** With `hold`: lifted by itself after. */
  holdSeconds: z.int().positive().optional(),
  /** Open tasks that it hits, or would hit; absent where they were not counted. */
  tasks: natural.optional(),
  /** The number of its entry in the revocation log. */
  seq: z.int().optional(),
  /** Why it did not do it, as a sentence. */
  because: z.string().optional(),
});
export type ReactionDone = z.infer<typeof reactionSchema>;

export const signalSchema = z.strictObject({
  id: z.string(),
  /** The name of the transmitter, the id of the caller, or `DETECTOR`. */
  source: z.string(),
  /** SHA-256 of what was sent: the same again is a repetition, something else under its id is not. */
  digest: z.string(),
  event: z.enum([...SIGNAL_EVENTS, ...OTHER_EVENTS]),
  level: z.enum(LEVELS),
  /** What the subject names, as far as it is known here; all of it at once. Empty: nothing that is known. */
  about: z.array(selectorSchema),
  /** When it happened, as its source says. */
  at: moment,
  receivedAt: moment,
  reason: z.string().optional(),
  state: z.enum(SIGNAL_STATES),
  /** While `waiting`: when it is too late for another voice. */
  waitsUntil: moment.optional(),
  reaction: reactionSchema.optional(),
  /** Who confirmed or dismissed what a reaction wanted done. */
  decided: z.strictObject({ by: z.string(), at: moment, reason: z.string().optional() }).optional(),
  /** What follows from its state is still to be done, here or at another broker: the reaction itself, and its audit entry. */
  unfinished: z.literal(true).optional(),
  /** Raised by every write: see store/record.ts. */
  revision: natural,
});

export type Signal = z.infer<typeof signalSchema>;

/**
 * The id of what a source has sent under its own id: the same for ever, so that a signal that arrives twice, by whatever ways,
 * is put once.
 */
export function signalId(source: string, itsId: string): string {
  // As JSON: no two pairs have one text, so no source can take an id of another.
  const digest = sha256Bytes(JSON.stringify([source, itsId]));
  return newId('sig', shardOfDigest(digest), digest.subarray(1));
}
