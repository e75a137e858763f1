/** The credential: the record of what was minted for one target under one task. It never holds the secret. */
import { z } from 'zod';
import { knownClaimsSchema } from './party.js';
import { accessSchema, moment, natural } from './schemas.js';

export const credentialSchema = z.strictObject({
  id: z.string(),
  task: z.string(),
  /** The kind of its target, by name (see `targets/kinds.ts`). */
  kind: z.string(),
  target: z.string(),
  /** The `subject` of the party that it was issued to (see `party.ts`). Its task has that of the party that opened the task. */
  subject: z.string().optional(),
  /** The `session` of the person for whom it was issued (see `party.ts`). Its task has that by which it was opened. */
  session: z.string().optional(),
  access: z.array(accessSchema),
  /** The names that the target had for this access when it was granted. */
  scopes: z.array(z.string()).optional(),
  issuedAt: moment,
  expiresAt: moment,
  epoch: z.string(),
  /** `reserved` until a minter outside this process has answered; `failed` when it is certain that the minter made nothing. */
  state: z.enum(['reserved', 'active', 'failed']).default('active'),
  /** The claims of the workload's own token: policy is asked with them again when the credential is used. */
  ...knownClaimsSchema.shape,
  /** The credential from which it was derived, and whose end is its end too. */
  from: z.strictObject({ credential: z.string(), target: z.string() }).optional(),
  /**
   * The number of the latest cutoff or hold on its workload when it was born, 0 if there was none. Present exactly where
   * revocations must be pushed to the target, which then denies all sessions of before one cutoff by this number.
   */
  workloadSeq: natural.optional(),
  /** The approval by which it was issued, and the groups whose yes that is: policy is asked with them again when it is used. */
  approval: z.strictObject({ id: z.string(), groups: z.array(z.string()) }).optional(),
  /** The name that the target has for it, such as an access key id. Not a secret. */
  handle: z.string().optional(),
});

export type Credential = z.infer<typeof credentialSchema>;

/** Returns the record as it is stored. The state is left out where it is `active`, which is nearly everywhere. */
export const credentialText = ({ state, ...rest }: Credential): string =>
  JSON.stringify({ ...rest, ...(state !== 'active' && { state }) });

/** Returns whether a revocation of the credential must be pushed to its target. */
export const isEnforced = ({ workloadSeq }: Pick<Credential, 'workloadSeq'>): boolean => workloadSeq !== undefined;
