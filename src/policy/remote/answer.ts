/** What another engine may answer, and the verdict that it makes. Whatever is not exactly an answer is none, so it permits nothing. */
import { z } from 'zod';
import { neededApprovalSchema, uniteNeeds, type NeededApproval } from '../../domain/approval.js';
import { defined } from '../../domain/defined.js';
import { CLAIM_CHARACTERS_MAX } from '../../domain/name.js';
import { nameSchema } from '../../domain/schemas.js';
import type { Because, Verdict } from '../policy-engine.js';
import type { PolicyQuery } from '../query.js';
import { Unanswered } from './unanswered.js';

const name = nameSchema(CLAIM_CHARACTERS_MAX);

/** A group alone wants one person of it, for this once. */
const needed = z.union([
  name.transform((group): NeededApproval => ({ group, approvers: 1 })),
  z
    .strictObject({ group: name, approvers: neededApprovalSchema.shape.approvers, reuse: z.boolean().exactOptional() })
    .transform(({ reuse, ...rest }): NeededApproval => ({ ...rest, ...(reuse === true && { reuse }) })),
]);

/** Callers, audit log and terminals are told groups and ids of policies as they are: so both are names. */
const terms = {
  /** The most that is permitted. It never lengthens what was asked. */
  lifetimeSeconds: z.int().positive().exactOptional(),
  /** The groups without whose approval it is not permitted. */
  approvals: z.array(needed).max(16).exactOptional(),
  /** Ids of the policies that decided. */
  policies: z.array(name).max(64).exactOptional(),
  /** False: callers are not told of these policies. */
  reveal: z.boolean().exactOptional(),
  /** What the policies that decided are called, such as a version. */
  digest: z.string().min(1).max(1_024).exactOptional(),
};

/** `allow` alone, or with terms. A term that is misspelt would be no term: so there are no others. */
export const answerSchema = z.union([
  z.boolean().transform((allow) => ({ allow })),
  z.strictObject({ allow: z.boolean(), ...terms }),
]);
/** The same beside members of other purposes (AuthZEN: `context` is the engine's own). */
export const termsSchema = z.looseObject(terms);

type Terms = z.output<z.ZodObject<typeof terms>>;

export interface Answer extends Omit<Terms, 'digest'> {
  allow: boolean;
  /** What the engine calls the policies that decided; undefined where it does not say. */
  named?: string;
}

export function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const { data, success } = schema.safeParse(value);
  if (success) return data;
  throw new Unanswered('malformed', 'The policy engine answered with something other than docs/policy.md describes.');
}

/** @param digest Of the policies that decided. */
export function verdictOf({ context }: PolicyQuery, answer: Answer, digest: string): Verdict {
  const { allow, approvals = [], policies: named = [], reveal } = answer;
  const policies = [...new Set(named)].sort();
  const given = context.kind === 'access' ? context.approvals : [];
  const needs = uniteNeeds(approvals.filter(({ group }) => !given.includes(group)));
  const settled = defined({ policies, digest, secret: reveal === false ? (true as const) : undefined });
  const asked = context.kind === 'access' ? context.lifetimeSeconds : context.opening?.lifetimeSeconds;
  const lifetimeSeconds = asked && Math.min(asked, answer.lifetimeSeconds ?? asked);
  // A verb of the broker waits for nobody: there, what wants an approval is refused.
  if (needs.length > 0 && context.kind === 'access')
    return defined({ ...settled, lifetimeSeconds, outcome: 'needs-approval' as const, needs, wantedBy: policies });
  if (!allow || needs.length > 0)
    return { ...settled, outcome: 'deny', because: because(reveal === false ? [] : policies) };
  return defined({ ...settled, outcome: 'permit' as const, lifetimeSeconds });
}

const because = (policies: string[]): Because => ({ why: policies.length > 0 ? 'forbidden' : 'no-permit', policies });
