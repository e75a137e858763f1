/** The members of the broker's answers that the story reads. */
import { z } from 'zod';

export const issuedSchema = z.object({
  access_token: z.string(),
  expires_in: z.number(),
  scope: z.string(),
  task_id: z.string(),
});

export const taskSchema = z.object({ id: z.string(), state: z.string(), deadline: z.string() });
export const completedSchema = z.object({ task: taskSchema, revocation: z.object({ seq: z.number() }) });

const affectedSchema = z.object({
  credentials: z.number(),
  tasks: z.number(),
  byTarget: z.record(z.string(), z.number()),
});

export const previewSchema = z.object({
  dryRun: z.literal(true),
  selector: z.object({ kind: z.string(), value: z.string() }),
  effect: z.string(),
  affected: affectedSchema,
});

export const receiptSchema = z.object({
  seq: z.number(),
  effect: z.string(),
  liftedBy: z.number().optional(),
  affected: affectedSchema.nullable(),
});

export const receiptsSchema = z.object({ revocations: z.array(receiptSchema) });

export const credentialSchema = z.object({
  id: z.string(),
  state: z.string(),
  target: z.string(),
  access: z.array(z.object({ identifier: z.string(), actions: z.array(z.string()) })),
  causes: z.array(z.object({ kind: z.string(), value: z.string() })),
});

export const DEAD = '{"active":false}';
