/**
 * An approval: one question to people, about one request for a credential, bound to exactly what was asked. Its states have the words
 * of AuthZEN's access request profile: `pending`, `approved`, `denied`, `expired`, `cancelled`; and `used`, once its credential is issued.
 */
import { z } from 'zod';
import { isWithin, type Access } from './access.js';
import { sha256 } from './digest.js';
import { partyRefSchema, rememberedPersonSchema } from './party.js';
import { accessSchema, moment, natural } from './schemas.js';

/** What a policy wants: so many persons of one group. */
export const neededApprovalSchema = z.strictObject({
  group: z.string(),
  /** Different persons of the group. */
  approvers: z.int().min(1).max(2).default(1),
  /** The yes stands for the rest of the task, for whatever the approved access covers. */
  reuse: z.literal(true).optional(),
});
export type NeededApproval = z.infer<typeof neededApprovalSchema>;

/**
 * Returns what all of these want together: of each group, once, as many persons as the most demanding wants. The yes of a group stands
 * for longer only where all who want it say so.
 */
export function uniteNeeds(needs: readonly NeededApproval[]): NeededApproval[] {
  const groups = [...new Set(needs.map(({ group }) => group))].sort();
  return groups.map((group) => {
    const same = needs.filter((one) => one.group === group);
    const approvers = Math.max(...same.map((one) => one.approvers));
    return { group, approvers, ...(same.every(({ reuse }) => reuse) && { reuse: true as const }) };
  });
}

/** Returns whether whoever has got the first has all that is needed now. */
export const coversNeeds = (got: readonly NeededApproval[], needed: readonly NeededApproval[]): boolean =>
  needed.every(({ group, approvers }) => got.some((one) => one.group === group && one.approvers >= approvers));

export const APPROVAL_ANSWERS = ['approve', 'deny', 'emergency'] as const;

/** What one person has answered. */
const answerSchema = z.strictObject({
  /** With the claims of their token: they may be cut off by the address in it. */
  by: rememberedPersonSchema,
  at: moment,
  /** `emergency`: a yes in the place of everybody who would have to agree (break-glass). */
  says: z.enum(APPROVAL_ANSWERS),
  /** The groups for which policy lets this person answer. */
  groups: z.array(z.string()),
  /** The person belongs to a team whose agent asks, or has it ask: such a yes is not enough alone. */
  ofOwner: z.literal(true).optional(),
  /** The person's login is a cause: a yes of somebody who was cut off since does not count. */
  issuedAt: moment,
  reason: z.string().optional(),
  /** Less than what stood before. Absent: all of it. */
  access: z.array(accessSchema).optional(),
  lifetimeSeconds: z.int().min(1).optional(),
});
export type ApprovalAnswer = z.infer<typeof answerSchema>;

/** A yes is only kept where it adds something, so more are not needed: room for a no always remains. */
export const ANSWERS_MOST = 16;

/** A lost answer is asked for again, and then there is one code more. */
export const DEFERRAL_CODES_MOST = 4;

export const approvalSchema = z.strictObject({
  id: z.string(),
  /** The task under which the credential would be issued. It exists already, and its end is the end of the approval. */
  task: z.string(),
  workload: partyRefSchema,
  principal: rememberedPersonSchema.optional(),
  openedBy: partyRefSchema.optional(),
  /** As its task has it. The review of an emergency may be closed when the record of the task is gone. */
  above: z.array(z.string()).optional(),
  openerAddresses: z.array(z.string()).optional(),
  /** The workloads of the tasks above, the nearest first. */
  chain: z.array(partyRefSchema).optional(),
  purpose: z.string(),
  purposeFrom: z.enum(['opener', 'agent', 'default']),
  /** What was asked, in the broker's own terms: nothing of it changes. No token is here. */
  asked: z.strictObject({
    target: z.string(),
    access: z.array(accessSchema),
    /** What policy allows once it is approved: the most that the credential can live. */
    lifetimeSeconds: z.int().min(1),
    /** What the request itself said, if anything. */
    lifetimeWanted: z.int().min(1).optional(),
    tokenType: z.string().optional(),
    askedAsScope: z.boolean(),
  }),
  /** SHA-256 of what the request was, its task among it: asking the same again finds this approval (`domain/asked.ts`). */
  digest: z.string(),
  needs: z.array(neededApprovalSchema).min(1),
  /** The policies that want it, and the digest of their set. */
  policies: z.array(z.string()),
  policyDigest: z.string(),
  askedAt: moment,
  /** Until then it can be answered. */
  lapsesAt: moment,
  answers: z.array(answerSchema).max(ANSWERS_MOST).default([]),
  /** Set by the answer that completes it: until then the credential can be fetched. */
  usableUntil: moment.optional(),
  used: z.strictObject({ at: moment, credential: z.string() }).optional(),
  /** By its agent (RFC 7009), by a report that its code leaked, by a later question, or because people could not be told of it. */
  cancelledAt: moment.optional(),
  /** Of an emergency: it stays open until a person who did not declare it closes it. */
  review: z
    .strictObject({
      openedAt: moment,
      closed: z.strictObject({ by: partyRefSchema, at: moment, note: z.string() }).optional(),
    })
    .optional(),
  /** SHA-256 of the deferral codes that were given out for it, the latest first. */
  deferralCodes: z.array(z.string()).max(DEFERRAL_CODES_MOST).default([]),
  revision: natural.default(0),
});
export type Approval = z.infer<typeof approvalSchema>;

export const APPROVAL_STATES = ['pending', 'approved', 'denied', 'expired', 'cancelled', 'used'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** Returns the state at this time. The end of its task is not known here: whoever has looked at the log says `cancelled` then. */
export function approvalStateAt(approval: Approval, now: number): ApprovalState {
  const { answers, usableUntil, lapsesAt, cancelledAt, used } = approval;
  if (cancelledAt !== undefined) return 'cancelled';
  if (answers.some(({ says }) => says === 'deny')) return 'denied';
  if (used && !isReusable(approval)) return 'used';
  if (usableUntil !== undefined) return used || now < usableUntil ? 'approved' : 'expired';
  return now < lapsesAt ? 'pending' : 'expired';
}

/** Returns whether it waits for people, or what they agreed to can be fetched. Every other state is the last. */
export const isUnsettled = (state: ApprovalState): boolean => state === 'pending' || state === 'approved';

/** Returns whether every group that was asked lets its yes stand for the rest of the task. An emergency is for once. */
export const isReusable = ({ needs, answers }: Pick<Approval, 'needs' | 'answers'>): boolean =>
  needs.every(({ reuse }) => reuse) && answers.every(({ says }) => says !== 'emergency');

/** What the credential may be at most, as it stands: each answer may only take away from what stood before. */
export interface Terms {
  access: readonly Access[];
  lifetimeSeconds: number;
}

export const termsOf = ({ asked, answers }: Pick<Approval, 'asked' | 'answers'>): Terms =>
  answers.reduce<Terms>(
    (terms, answer) => ({
      access: answer.access ?? terms.access,
      lifetimeSeconds: answer.lifetimeSeconds ?? terms.lifetimeSeconds,
    }),
    asked,
  );

/** Returns whether the terms are no more than what stands. */
export const isNarrower = (approval: Approval, { access, lifetimeSeconds }: Partial<Terms>): boolean => {
  const stands = termsOf(approval);
  const { target } = approval.asked;
  const most = stands.access.map((one) => ({ target, ...one }));
  return (
    (access === undefined || (access.length > 0 && isWithin(most, target, access))) &&
    (lifetimeSeconds === undefined || lifetimeSeconds <= stands.lifetimeSeconds)
  );
};

/**
 * Returns the digest of all that a person is shown before the answer, who asks among it. An answer names it, so that a yes is to what
 * was read, and not to what another person made of it meanwhile.
 */
export const shownDigest = (approval: Approval): string => {
  const { id, task, workload, principal, purpose, asked, needs } = approval;
  return sha256(
    JSON.stringify([id, task, workload.id, principal?.id ?? null, purpose, asked.target, termsOf(approval), needs]),
  );
};
