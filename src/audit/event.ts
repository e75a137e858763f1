/**
 * What an audit entry may say. The list of fields is closed, ids and digests only: a secret has no field to slip into,
 * and what people paste into free text is taken out (see `entryText` in chain.ts).
 */
import { z } from 'zod';
import { accessSchema } from '../domain/access.js';
import { AUDIT_EVENT_TYPES } from '../domain/audit-event-types.js';
import { BROKER_ERROR_CODES, RETRIES } from '../domain/errors.js';
import { EFFECTS } from '../domain/selector.js';
import { selectorSchema } from '../domain/selector-schema.js';
import { LEVELS, reactionSchema, SIGNAL_STATES } from '../domain/signal.js';

const moment = z.int().nonnegative();
const seq = z.int().nonnegative();
/** Cut rather than refused: an entry must not fail because a caller has much to say. */
const freeText = (most: number) => z.string().transform((text) => text.slice(0, most));

export const auditEventSchema = z.strictObject({
  type: z.enum(AUDIT_EVENT_TYPES),
  /** Milliseconds, by the clock of the broker that writes. */
  at: moment,
  /** Who asked or acted. `kind` and `issuer` are absent for the broker itself and its operators' command line. */
  actor: z
    .strictObject({ id: z.string(), kind: z.enum(['workload', 'person']).optional(), issuer: z.string().optional() })
    .optional(),
  task: z.string().optional(),
  workload: z.string().optional(),
  principal: z.string().optional(),
  credential: z.string().optional(),
  target: z.string().optional(),
  access: z.array(accessSchema).optional(),
  purpose: freeText(256).optional(),
  /** Of the credential, or the deadline of the task. Milliseconds. */
  expiresAt: moment.optional(),
  /** What policy said: its ids, and the digest of the policy set that said it. */
  decision: z
    .strictObject({
      id: z.string(),
      outcome: z.enum(['permit', 'deny', 'needs-approval']),
      policies: z.array(z.string()),
      digest: z.string(),
    })
    .optional(),
  /** SHA-256 (base64url) of what the target was told the credential may do, where it is told. */
  scopeHash: z.string().optional(),
  /** SHA-256 (base64url) of the token that proved who asked. */
  proofHash: z.string().optional(),
  /** The operator verb, where one was refused or used. */
  verb: z.string().optional(),
  error: z.enum(BROKER_ERROR_CODES).optional(),
  retry: z.enum(RETRIES).optional(),
  outcome: z.string().optional(),
  reason: freeText(512).optional(),
  ticket: freeText(128).optional(),
  revocation: z
    .strictObject({
      id: z.string(),
      seq: seq.optional(),
      effect: z.enum([...EFFECTS, 'lift']),
      selector: selectorSchema,
      /** When it was published; the entry follows it. */
      at: moment.optional(),
      lifts: seq.optional(),
      liftAt: moment.optional(),
    })
    .optional(),
  /** What was told, by whom, of whom, and what was done about it. */
  signal: z
    .strictObject({
      id: z.string(),
      source: z.string(),
      event: z.string(),
      level: z.enum(LEVELS),
      about: z.array(selectorSchema),
      state: z.enum(SIGNAL_STATES),
      reaction: reactionSchema.optional(),
    })
    .optional(),
  /** Sequence numbers of revocations, both inclusive, that are missing here. */
  missing: z.strictObject({ from: seq, to: seq }).optional(),
  /** Where the chain begins after pruning. */
  checkpoint: z.strictObject({ seq, hash: z.string() }).optional(),
  /** The signing key now current, or the digest of the policy set now in force. */
  installed: z.string().optional(),
  requestId: z.string().optional(),
  /** Which broker wrote it; the log fills it in. */
  node: z.string().optional(),
});

export type AuditEvent = z.infer<typeof auditEventSchema>;
