/** How people write a query to policy: its members, and what those are that nobody writes. The names are those of docs/policy.md. */
import { z } from 'zod';
import type { ConfigPath } from '../../config/problem.js';
import type { Party } from '../../domain/party.js';
import { LEVELS } from '../../domain/signal.js';
import { taskSchema } from '../../domain/task.js';
import type { Configured } from './fit.js';
import type { PolicySchema } from './schema.js';

const text = z.string().min(1);
const seconds = z.int().positive();
const facts = z.record(z.string(), z.unknown());
const ofAnybody = { claims: facts.optional(), unread: z.array(text).optional() };
const workloadSchema = z.strictObject({ workload: text, owner: text.optional(), ...ofAnybody });
const personSchema = z.strictObject({ person: text, groups: z.array(text).optional(), ...ofAnybody });

/** A party: its id, and what its token says. `claims` are values as a token has them, by the names in `trust[].claims`. */
export const partySchema = z.union([workloadSchema, personSchema]);
/** A text is the name of one of the parties that the file describes. */
const whoSchema = z.union([text, workloadSchema, personSchema]);

/** A request that waits for people: what is asked for, by whom, and the group that is wanted. */
const waitingSchema = z.strictObject({
  group: text,
  /** `<target>#<path>`. */
  of: text,
  actions: z.array(text).min(1),
  workload: whoSchema,
  onBehalfOf: whoSchema.optional(),
  purpose: text.default('a task'),
});

export const writtenQuerySchema = z.strictObject({
  principal: whoSchema,
  action: text,
  /** `<target>#<path>`, `<target>`, a task, an approval, or nothing where the action is on the broker. */
  resource: z
    .union([
      text,
      z.strictObject({ workload: whoSchema, purpose: text, openedBy: whoSchema.optional() }),
      waitingSchema,
    ])
    .optional(),
  context: facts.optional(),
});

export type WrittenParty = z.infer<typeof partySchema>;
export type Who = z.infer<typeof whoSchema>;
export type WrittenApproval = z.infer<typeof waitingSchema>;
export type WrittenQuery = z.infer<typeof writtenQuerySchema>;

const served = { onBehalfOf: whoSchema.optional(), principalProven: z.boolean().default(false) };
const lifetimeSeconds = seconds.default(300);

const delegation = {
  delegationDepth: z.int().min(0).optional(),
  delegatedBy: whoSchema.optional(),
  chain: z.array(whoSchema).default([]),
};

/** What is not written is as it mostly is: no person, no parent task, no risk. */
export const accessSchema = z.strictObject({
  purpose: text.default('a task'),
  purposeFrom: taskSchema.shape.purposeFrom.default('agent'),
  lifetimeSeconds,
  ...served,
  openedBy: whoSchema.optional(),
  ...delegation,
  approvals: z.array(text).default([]),
  risk: z.enum(LEVELS).default('LOW'),
  given: z.partialRecord(z.enum(['subject', 'action', 'resource', 'context']), facts).optional(),
});
export const openTaskSchema = z.strictObject({ lifetimeSeconds, ...served, ...delegation });
export const revokeSchema = z.strictObject({
  kind: text,
  value: text,
  effect: text,
  dryRun: z.boolean().default(false),
});
export const breakGlassSchema = z.strictObject({ own: z.boolean().default(false) });
export const nothingSchema = z.strictObject({});
export const completeRunSchema = z.strictObject({ issuer: text, run: text, own: z.boolean() });

/** What a written query is held against, and where its mistakes go. */
export interface Reading {
  schema: PolicySchema;
  configured: Configured;
  /** Those that the file describes, by name. */
  parties: ReadonlyMap<string, Party>;
  note: (path: ConfigPath, reason: string | undefined) => void;
}
