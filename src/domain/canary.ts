/** A canary: a credential that was never granted, laid out to be found. Its token is kept nowhere; any use of it is an alarm. */
import { z } from 'zod';
import { moment } from './schemas.js';

export const canarySchema = z.strictObject({
  /** SHA-256 of the token, base64url. */
  hash: z.string(),
  /** Where it was laid out, or the ticket that says so. */
  label: z.string(),
  target: z.string(),
  mintedAt: moment,
  /** Until then it is looked for. Milliseconds. */
  expiresAt: moment,
  /** Whom its use speaks of, where the minter said so. */
  task: z.string().optional(),
  workload: z.string().optional(),
});

export type Canary = z.infer<typeof canarySchema>;
