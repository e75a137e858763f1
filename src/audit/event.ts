/**
 * The fields of an audit entry. The list is closed: ids, digests, names and bounded free text, so a secret has no field to slip
 * into. This file says which is which. Names, and what was granted, are kept as they are, or nobody could find them; their
 * alphabets let no whole token in. Tokens are removed from free text: from what people write, and from what a refused caller asked for.
 */
import { z } from 'zod';
import { accessSchema } from '../domain/access.js';
import { AUDIT_EVENT_TYPES } from '../domain/audit-event-types.js';
import { defined } from '../domain/defined.js';
import { BROKER_ERROR_CODES, RETRIES } from '../domain/errors.js';
import { POLICY_OUTCOMES } from '../domain/policy-outcome.js';
import { moment, natural, selectorSchema } from '../domain/schemas.js';
import { EFFECTS } from '../domain/selector.js';
import { LEVELS, reactionSchema, SIGNAL_STATES } from '../domain/signal.js';
import { withoutTokens } from '../domain/token-in-text.js';

/** Free text is cut, not refused: a long reason must not make an entry fail. */
const freeText = (most: number) => z.string().transform((text) => withoutTokens(text).slice(0, most));

const fieldsSchema = z.strictObject({
  type: z.enum(AUDIT_EVENT_TYPES),
  /** When it was written, in milliseconds, by the clock of the broker that wrote it. */
  at: moment,
  /**
   * The caller or actor. `kind` and `issuer` are absent for the broker itself and for the command line of its operators.
   * `subject` is there where the id is not made of `sub`, `run` where the token names a run (`trust[].run`).
   */
  actor: z
    .strictObject({
      id: z.string(),
      kind: z.enum(['workload', 'person']).optional(),
      issuer: z.string().optional(),
      subject: z.string().optional(),
      run: z.string().optional(),
    })
    .optional(),
  task: z.string().optional(),
  workload: z.string().optional(),
  principal: z.string().optional(),
  credential: z.string().optional(),
  target: z.string().optional(),
  access: z.array(accessSchema).optional(),
  /** Of a refused request: how many further pairs of path and action it asked for. */
  accessOmitted: natural.optional(),
  purpose: freeText(256).optional(),
  /** The expiry of the credential, the deadline of the task, or the end of the watch for a canary. Milliseconds. */
  expiresAt: moment.optional(),
  /** The decision of policy: the ids of its policies, and the digest of the policy set. */
  decision: z
    .strictObject({
      id: z.string(),
      outcome: z.enum(POLICY_OUTCOMES),
      policies: z.array(z.string()),
      digest: z.string(),
    })
    .optional(),
  /** SHA-256 (base64url) of the restrictions that were sent to the target, for targets that take them. */
  scopeHash: z.string().optional(),
  /** SHA-256 (base64url) of the token that proved the caller's identity. */
  proofHash: z.string().optional(),
  /** The operator verb that was used or refused. */
  verb: z.string().optional(),
  error: z.enum(BROKER_ERROR_CODES).optional(),
  retry: z.enum(RETRIES).optional(),
  outcome: z.string().optional(),
  reason: freeText(512).optional(),
  ticket: freeText(128).optional(),
  revocation: z
    .strictObject({
      id: z.string(),
      seq: natural.optional(),
      effect: z.enum([...EFFECTS, 'lift']),
      selector: selectorSchema,
      /** When it was published. The audit entry is written after that. */
      at: moment.optional(),
      lifts: natural.optional(),
      liftAt: moment.optional(),
    })
    .optional(),
  /** The signal, its source and subject, and what was done about it. */
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
  /** What was done to many at once: by which filter, to how many, and to which signals (ids) or revocations (numbers). */
  together: z
    .strictObject({
      count: natural,
      of: z.array(z.string()),
      source: z.string().optional(),
      reaction: z.string().optional(),
      subject: z.string().optional(),
    })
    .optional(),
  /** The source of signals that was muted, and until when. Milliseconds. */
  muted: z.strictObject({ source: z.string(), until: moment.optional() }).optional(),
  /** Events that were counted and not entered, between two moments in milliseconds, both inclusive. */
  counted: z
    .strictObject({
      from: moment,
      until: moment,
      /** The issuer of the callers, where they are too many for a line each. Else the actor is the caller. */
      issuer: z.string().optional(),
      events: z.array(
        z.strictObject({
          type: z.enum(AUDIT_EVENT_TYPES),
          verb: z.string().optional(),
          error: z.enum(BROKER_ERROR_CODES).optional(),
          count: natural,
        }),
      ),
    })
    .optional(),
  /** The numbers of revocations that are missing in the audit log, both inclusive. */
  missing: z.strictObject({ from: natural, to: natural }).optional(),
  /** The place where the chain begins after pruning. */
  checkpoint: z.strictObject({ seq: natural, hash: z.string() }).optional(),
  /** The signing key now current, or the digest of the policy set now in force. */
  installed: z.string().optional(),
  requestId: z.string().optional(),
  /** The network address that the request came from, as far as known. */
  address: z.string().optional(),
  /** The broker that wrote the entry; the log fills it in. */
  node: z.string().optional(),
});

export type AuditEvent = z.infer<typeof fieldsSchema>;

/** Throws on a field or value that is not in the schema. */
export function eventAsEntered(event: AuditEvent): AuditEvent {
  const entered = fieldsSchema.parse(event);
  return REFUSED.has(entered.type) ? { ...entered, ...askedInVain(entered) } : entered;
}

const REFUSED: ReadonlySet<AuditEvent['type']> = new Set(['credential.refused', 'operation.refused']);

const askedInVain = ({ target, access }: AuditEvent): Pick<AuditEvent, 'target' | 'access'> =>
  defined({
    target: target === undefined ? undefined : withoutTokens(target),
    access: access?.map(({ path, actions }) => ({ path: withoutTokens(path), actions })),
  });

/** An audit event that has its place in the chain. */
export interface AuditEntry extends AuditEvent {
  /** The number of its line. */
  seq: number;
}

/** Parses a line that a broker wrote. Another version may have written fields and types that this one does not know. */
export const parseEntry = (line: string): AuditEntry => JSON.parse(line) as AuditEntry;
