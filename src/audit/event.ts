/**
 * The fields of an audit entry. The list is closed: ids, digests, names and bounded free text, so a secret has no field to slip
 * into. This file says which is which. Names, and what was granted, are kept as they are, or nobody could find them; their
 * alphabets let no whole token in. Tokens are removed from free text: from what people write, and from what a refused caller asked for.
 */
import { z } from 'zod';
import { AUDIT_EVENT_TYPES } from '../domain/audit-event-types.js';
import { APPROVAL_ANSWERS, neededApprovalSchema } from '../domain/approval.js';
import { decisionSchema } from '../domain/decision.js';
import { defined } from '../domain/defined.js';
import { BROKER_ERROR_CODES } from '../domain/errors.js';
import { RETRIES } from '../domain/retry.js';
import { accessSchema, moment, natural, selectorSchema } from '../domain/schemas.js';
import { EFFECTS } from '../domain/selector.js';
import { LEVELS, reactionSchema, SIGNAL_STATES } from '../domain/signal.js';
import { withoutTokens } from '../domain/token-in-text.js';

/** Free text is cut, not refused: a long reason must not make an entry fail. */
const freeText = (most: number) => z.string().transform((text) => withoutTokens(text).slice(0, most));

const answer = decisionSchema
  .pick({
    outcome: true,
    lifetimeSeconds: true,
    policies: true,
    digest: true,
  })
  .extend({
    needs: z.array(neededApprovalSchema).optional().describe('Whose approval is wanted.'),
  });

export const auditFieldsSchema = z.strictObject({
  type: z.enum(AUDIT_EVENT_TYPES),
  at: moment.describe('When it was written, by the clock of the broker that wrote it.'),
  actor: z
    .strictObject({
      id: z.string(),
      kind: z.enum(['workload', 'person']).optional(),
      issuer: z.string().optional().describe('The trust name.'),
      subject: z.string().optional().describe('The `sub`, where the id is not made of it.'),
      run: z.string().optional().describe('The run that the token names (`trust[].run`).'),
    })
    .optional()
    .describe('The caller. `kind` and `issuer` are absent for the broker itself and for the command line.'),
  task: z.string().optional(),
  workload: z.string().optional(),
  principal: z.string().optional().describe('The id of the person served, or of the workload.'),
  credential: z.string().optional(),
  target: z.string().optional().describe('The `resource` of the target.'),
  access: z.array(accessSchema).optional().describe('What was granted, or asked for in vain.'),
  chain: z
    .array(z.string())
    .optional()
    .describe(
      'Who acts for whom, where access is used or was handed on: the workload, who opened its task, of each task above its id, workload and opener, and whom it serves.',
    ),
  continues: z.string().optional().describe('The task that this one goes on with.'),
  handedOn: z
    .string()
    .optional()
    .describe('The credential by which the task was handed on to its workload, or by which that was asked in vain.'),
  times: natural
    .optional()
    .describe('How often in the minute. Of permits that were too many for an entry each: of all of them.'),
  accessOmitted: natural
    .optional()
    .describe('Of a refused request: how many further pairs of path and action it asked for.'),
  purpose: freeText(256).optional(),
  expiresAt: moment
    .optional()
    .describe('The expiry of the credential, the deadline of the task, or the end of the watch for a canary.'),
  decision: decisionSchema.optional().describe('The decision of policy.'),
  scopeHash: z
    .string()
    .optional()
    .describe('SHA-256 (base64url) of the restrictions that were sent to the target, for targets that take them.'),
  proofHash: z.string().optional().describe('SHA-256 (base64url) of the token that proved the caller.'),
  verb: z.string().optional().describe('The operator verb that was used or refused.'),
  error: z.enum(BROKER_ERROR_CODES).optional().describe('The code of the refusal: [errors.md](errors.md).'),
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
      at: moment.optional().describe('When it was published. The audit entry is written after that.'),
      lifts: natural.optional().describe('The number of the hold that it lifts.'),
      liftAt: moment.optional().describe('When the hold is lifted by itself.'),
    })
    .optional(),
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
    .optional()
    .describe('The signal, its source and subject, and what was done about it.'),
  together: z
    .strictObject({
      count: natural,
      of: z.array(z.string()).describe('Ids of signals, or numbers of revocations.'),
      source: z.string().optional(),
      reaction: z.string().optional(),
      subject: z.string().optional(),
    })
    .optional()
    .describe('What was done to many at once: by which filter, to how many, and to which.'),
  muted: z
    .strictObject({ source: z.string(), until: moment.optional() })
    .optional()
    .describe('The source of signals that was muted, and until when.'),
  counted: z
    .strictObject({
      from: moment,
      until: moment,
      issuer: z
        .string()
        .optional()
        .describe('Of the callers, where they are too many for a line each. Else the actor is the caller.'),
      events: z.array(
        z.strictObject({
          type: z.enum(AUDIT_EVENT_TYPES),
          verb: z.string().optional(),
          error: z.enum(BROKER_ERROR_CODES).optional(),
          count: natural,
        }),
      ),
    })
    .optional()
    .describe('Events that were counted and not entered, between two moments, both inclusive.'),
  approval: z
    .strictObject({
      id: z.string(),
      says: z.enum(APPROVAL_ANSWERS).optional(),
      groups: z.array(z.string()).optional().describe('That were asked, or that the person answered for.'),
      complete: z.boolean().optional().describe('Whether nobody else has to agree.'),
      lifetimeSeconds: z.int().optional().describe('Of the credential that it is about, as it stands.'),
      lapsesAt: moment.optional().describe('Until then it can be answered.'),
    })
    .optional()
    .describe('The request that waits for people, or that they have agreed to.'),
  missing: z
    .strictObject({ from: natural, to: natural })
    .optional()
    .describe('The numbers of revocations that are missing in the audit log, both inclusive.'),
  checkpoint: z
    .strictObject({ seq: natural, hash: z.string() })
    .optional()
    .describe('The place where the chain begins after pruning.'),
  trial: z
    .strictObject({ instead: answer.describe('What was answered.'), would: answer.describe('What would have been.') })
    .optional()
    .describe('Policies on trial would have answered otherwise.'),
  installed: z
    .string()
    .optional()
    .describe('The signing key now current, or the digest of the policy set now in force.'),
  requestId: z.string().optional(),
  address: z.string().optional().describe('The network address that the request came from, as far as known.'),
  node: z.string().optional().describe('The broker that wrote the entry.'),
});

export type AuditEvent = z.infer<typeof auditFieldsSchema>;

/** Throws on a field or value that is not in the schema. */
export function eventAsEntered(event: AuditEvent): AuditEvent {
  const entered = auditFieldsSchema.parse(event);
  return REFUSED.has(entered.type) ? { ...entered, ...askedInVain(entered) } : entered;
}

const REFUSED: ReadonlySet<AuditEvent['type']> = new Set(['credential.refused', 'operation.refused', 'access.denied']);

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
