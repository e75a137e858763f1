/** The credential: what was minted, for one target, under one task. */
import { z } from 'zod';
import { accessSchema } from './access.js';
import { moment, natural } from './schemas.js';

export const credentialSchema = z.strictObject({
  id: z.string(),
  task: z.string(),
  /** The kind of its target, by name (see `targets/kinds.ts`). */
  kind: z.string(),
  target: z.string(),
  access: z.array(accessSchema),
  issuedAt: moment,
  expiresAt: moment,
  epoch: z.string(),
  /** `reserved` until a minter that works outside this process has answered; `failed` when it surely made nothing. */
  state: z.enum(['reserved', 'active', 'failed']).default('active'),
  /** Where it is itself taken as proof of its workload: what the workload's own token said. */
  claims: z.record(z.string(), z.string()).optional(),
  /** What it was derived from, and dies with. */
  from: z.strictObject({ credential: z.string(), target: z.string() }).optional(),
  /**
   * Where revocations must be pushed to the target, and only there: the number of the latest cutoff or hold on its workload
   * when it was born, 0 without.
   */
  workloadSeq: natural.optional(),
  /** What the target calls it, such as an access key id. No secret. */
  handle: z.string().optional(),
});

export type Credential = z.infer<typeof credentialSchema>;

/** As stored: nearly all are active. */
export const credentialText = ({ state, ...rest }: Credential): string =>
  JSON.stringify({ ...rest, ...(state !== 'active' && { state }) });

/** Whether a revocation of it must be pushed to its target. */
export const isEnforced = ({ workloadSeq }: Pick<Credential, 'workloadSeq'>): boolean => workloadSeq !== undefined;
