/** A decision of policy, as the audit log keeps it: what was answered, and all that policy was told when it was asked. */
import { z } from 'zod';
import { neededApprovalSchema } from './approval.js';
import { POLICY_OUTCOMES } from './policy-outcome.js';
import { partyRefSchema, rememberedPersonSchema } from './party.js';
import { accessSchema, natural } from './schemas.js';
import { LEVELS } from './signal.js';
import { taskSchema } from './task.js';

const party = rememberedPersonSchema
  .pick({ kind: true, id: true, issuer: true, owner: true, claims: true, unread: true, groups: true })
  .strict();
const named = partyRefSchema.pick({ kind: true, id: true, issuer: true, owner: true });

const taskFacts = z.strictObject({
  id: z.string().optional(),
  workload: named,
  purpose: z.string(),
  openedBy: named.optional(),
});

const delegation = {
  delegationDepth: natural.optional(),
  chain: z.array(named).optional(),
};

/** What mostly is the same is left out: no person, no parent task, no approval, the risk `LOW`. */
const accessFacts = z.strictObject({
  purpose: z.string(),
  purposeFrom: taskSchema.shape.purposeFrom,
  lifetimeSeconds: natural.describe('What was asked for.'),
  ...delegation,
  onBehalfOf: party.optional(),
  principalProven: z.literal(true).optional(),
  openedBy: named.optional(),
  approvals: z.array(z.string()).optional(),
  risk: z.enum(LEVELS).optional(),
  given: z.literal(true).optional().describe('An API said something of the use. What it said is not kept.'),
  refused: z
    .strictObject({ action: z.string(), path: z.string() })
    .optional()
    .describe('The pair that was not permitted; what comes after it was not asked.'),
  openedFor: natural
    .optional()
    .describe('Seconds. With the same request a task was opened, and policy was asked for that, too.'),
});

/** A request that waits for people, as whoever may answer it is asked about it: once for each group. */
const approvalFacts = z.strictObject({
  id: z.string(),
  group: z.string(),
  workload: named,
  onBehalfOf: party.optional(),
  target: z.string(),
  access: z.array(accessSchema),
  purpose: z.string(),
});

const operationFacts = z.strictObject({
  action: z.string(),
  target: z.string().optional(),
  task: taskFacts.optional(),
  parent: taskFacts.optional().describe('To open a task under another, policy is asked about that one, too.'),
  approval: approvalFacts.optional(),
  emergency: z.strictObject({ own: z.boolean() }).optional(),
  revocation: z
    .strictObject({ kind: z.string(), value: z.string(), effect: z.string(), dryRun: z.boolean() })
    .optional(),
  run: z.strictObject({ issuer: z.string(), run: z.string(), own: z.boolean() }).optional(),
  opening: z
    .strictObject({
      lifetimeSeconds: natural,
      ...delegation,
      onBehalfOf: party.optional(),
      principalProven: z.literal(true).optional(),
    })
    .optional(),
});

const factsSchema = z.strictObject({
  principal: party,
  access: accessFacts.optional(),
  operation: operationFacts.optional(),
});

export const decisionSchema = z.strictObject({
  id: z.string(),
  outcome: z.enum(POLICY_OUTCOMES),
  policies: z.array(z.string()).describe('The ids of the policies that decided.'),
  digest: z.string().describe('Of the policy set.'),
  lifetimeSeconds: natural
    .optional()
    .describe('The most that policy allowed, of what was permitted or needs approval.'),
  needs: z
    .array(neededApprovalSchema)
    .optional()
    .describe('The groups whose approval would have turned it into a permit, and what was wanted of each.'),
  approvals: z.array(z.string()).optional().describe('Of an older broker: the groups alone.'),
  facts: factsSchema.optional().describe('What policy was told.'),
  unkept: z
    .enum(['too-long', 'may-hold-a-secret'])
    .optional()
    .describe('Why there are no facts, so that the decision cannot be asked again.'),
});

/** What policy was told. */
export type Facts = z.infer<typeof factsSchema>;

export type DecisionRecord = z.infer<typeof decisionSchema>;
