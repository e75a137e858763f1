/** A signal: an observation, by another system or by a detector of this broker, about a party, a task or a credential. */
import { z } from 'zod';
import { sha256Bytes } from './digest.js';
import { newId, shardOfDigest } from './id.js';
import { moment, natural, selectorSchema } from './schemas.js';

/** The events of transmitters (CAEP 1.0, RISC 1.0, OAuth events), by the last part of the event's URI. */
export const FOREIGN_EVENTS = [
  'session-revoked',
  'credential-change',
  'risk-level-change',
  'device-compliance-change',
  'assurance-level-change',
  'account-disabled',
  'account-purged',
  'account-credential-change-required',
  'credential-compromise',
  'sessions-revoked',
  'tokens-revoked',
] as const;

/** The events that the broker's own detectors raise. */
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

/** The events that a caller may report: those of transmitters, and one that an API sees as a detector does. */
export const CALLER_EVENTS = [...FOREIGN_EVENTS, 'use-after-end'] as const;

/** The `source` of every signal that a detector of this broker raises. */
export const DETECTOR = 'detector';

/** Events about the stream itself (SSF 1.0), and events without a meaning here. They are recorded and never acted upon. */
const OTHER_EVENTS = ['verification', 'stream-updated', 'unknown'] as const;

/**
 * The members of a complex subject (SSF 1.0 §3.2) that only narrow who is meant by the others: to one session, device or tenant of
 * the user. To pass over one of them hits more than was said, and nobody else.
 */
export const NARROWING_MEMBERS = ['session', 'device', 'tenant'] as const;
export type NarrowingMember = (typeof NARROWING_MEMBERS)[number];

export const SIGNAL_EVENTS = [...FOREIGN_EVENTS, ...DETECTOR_EVENTS] as const;

/** Every event that a record of a signal can have. */
export const STORED_EVENTS = [...SIGNAL_EVENTS, ...OTHER_EVENTS] as const;

export const LEVELS = ['LOW', 'MEDIUM', 'HIGH'] as const;
export type Level = (typeof LEVELS)[number];

/** The states of a signal. An `accepted` one is not evaluated yet. */
export const SIGNAL_STATES = [
  'accepted',
  /** No reaction applies, or the one that does cannot be carried out. */
  'recorded',
  /** The reaction is on `observe`: it records what it would have done. */
  'observed',
  /** The reaction wants corroboration: a second source must report the same. */
  'waiting',
  /** The reaction would hit more parties than `maxPartiesPerMinute` allows: a person must confirm it. */
  'pending',
  'reacted',
  'dismissed',
] as const;

/** What a reaction did about a signal, or would do. */
export const reactionSchema = z.strictObject({
  rule: z.string(),
  do: z.enum(['end', 'cutoff', 'hold', 'risk', 'record']),
  selector: selectorSchema.optional(),
  /** With `risk`: the level to which the risk is set. */
  level: z.enum(LEVELS).optional(),
  /** With `hold`: the hold is lifted automatically after so many seconds. */
  holdSeconds: z.int().positive().optional(),
  /** The number of open tasks that it has hit, or would hit; absent where they were not counted. */
  tasks: natural.optional(),
  /** The number of its entry in the revocation log. */
  seq: z.int().optional(),
  /** Why the reaction was not carried out, as a sentence. */
  because: z.string().optional(),
});
export type ReactionDone = z.infer<typeof reactionSchema>;

export const signalSchema = z.strictObject({
  id: z.string(),
  /** The name of the transmitter, the id of the caller, or `DETECTOR`. */
  source: z.string(),
  /** SHA-256 of what was sent. The same bytes under the same id are a repetition; other bytes under that id are an error. */
  digest: z.string(),
  event: z.enum(STORED_EVENTS),
  level: z.enum(LEVELS),
  /**
   * The selectors that the subject names. The signal is about whatever all of them hold for. Empty if the broker knows none of
   * them.
   */
  about: z.array(selectorSchema),
  /** The moment at which it happened, according to its source. */
  at: moment,
  receivedAt: moment,
  reason: z.string().optional(),
  state: z.enum(SIGNAL_STATES),
  /** While `waiting`: until then another source can report the same. */
  waitsUntil: moment.optional(),
  reaction: reactionSchema.optional(),
  /** The person who confirmed or dismissed the reaction. */
  decided: z
    .strictObject({
      by: z.string(),
      at: moment,
      reason: z.string().optional(),
      requestId: z.string().optional(),
      address: z.string().optional(),
    })
    .optional(),
  /** Present while the reaction and its audit entry are still to be done, by this broker or another one. */
  unfinished: z.literal(true).optional(),
  /** Every write raises it: see store/record.ts. */
  revision: natural,
});

export type Signal = z.infer<typeof signalSchema>;

/**
 * Returns the broker's id for what a source sent under its own id. It is always the same, so a signal that arrives twice, even
 * by two brokers, is stored once.
 */
export function signalId(source: string, itsId: string): string {
  // As JSON, two different pairs never have the same text. So one source cannot occupy an id of another.
  const digest = sha256Bytes(JSON.stringify([source, itsId]));
  return newId('sig', shardOfDigest(digest), digest.subarray(1));
}
