/** The schema of approvals: for how long a question waits, and for how long a yes stands. */
import { z } from 'zod';
import { HARD_LIMITS } from '../domain/limits.js';
import { approverPageSchema } from './approver-page-schema.js';
import { seconds } from './values.js';

export const approvalsSchema = z
  .strictObject({
    waitSeconds: seconds(HARD_LIMITS.taskLifetimeSeconds)
      .default(3_600)
      .describe('How long a request waits for people; then it has lapsed.'),
    usableSeconds: seconds(3_600)
      .default(300)
      .describe('How long after the last yes the agent can fetch its credential.'),
    emergencySeconds: seconds(3_600)
      .default(300)
      .describe('The longest lifetime of a credential that was approved in an emergency.'),
    pendingPerWorkload: z
      .int()
      .min(1)
      .max(64)
      .default(16)
      .describe(
        'Questions that one workload may ask for one person within `waitSeconds`, without those that people agreed to: people who are asked too often agree to be left alone.',
      ),
    clients: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'For whom the token of a person must be made (`aud`), and to whom issued (`azp`, `client_id`), to answer with; none: any.',
      ),
    page: approverPageSchema.optional(),
  })
  .prefault({})
  .describe('Requests that wait until people agree.');
