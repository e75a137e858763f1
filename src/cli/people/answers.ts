/** What the broker answers to `mayfly whatis`, as far as it is shown. */
import { z } from 'zod';
import { selectorSchema } from './receipt.js';

export const credentialSchema = z.looseObject({
  id: z.string(),
  kind: z.string(),
  state: z.string(),
  task: z.string(),
  purpose: z.string(),
  target: z.string(),
  access: z.array(z.object({ identifier: z.string(), actions: z.array(z.string()) })),
  issuedAt: z.string(),
  expiresAt: z.string(),
  causes: z.array(selectorSchema),
});

export const workloadSchema = z.object({
  owner: z.object({ name: z.string(), contact: z.string().optional(), runbook: z.string().optional() }).optional(),
  risk: z.string(),
});

export const signalSchema = z.object({
  source: z.string(),
  event: z.string(),
  level: z.string(),
  about: z.array(selectorSchema),
  receivedAt: z.string(),
  state: z.string(),
  reason: z.string().optional(),
});

export const auditSchema = z.object({ lines: z.array(z.string()) });

export const auditPageSchema = auditSchema.extend({ next: z.int().optional() });

/** A line of the audit log. */
export const decisionSchema = z.object({
  type: z.string(),
  actor: z.object({ id: z.string() }).optional(),
  target: z.string().optional(),
  task: z.string().optional(),
  reason: z.string().optional(),
  decision: z.object({ outcome: z.string(), policies: z.array(z.string()) }).optional(),
});
