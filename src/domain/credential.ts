/** The credential: what was minted, for one target, under one task. */
import { z } from 'zod';
import { accessSchema } from './access.js';
import { cause, type Cause } from './selector.js';
import { taskCauses, type Task } from './task.js';

export const credentialSchema = z.strictObject({
  id: z.string(),
  task: z.string(),
  kind: z.enum(['jwt', 'aws-sts']),
  target: z.string(),
  access: z.array(accessSchema),
  issuedAt: z.int().nonnegative(),
  expiresAt: z.int().nonnegative(),
  epoch: z.string(),
  /** `reserved` until a minter that works outside this process has answered. */
  state: z.enum(['reserved', 'active']).default('active'),
});

export type Credential = z.infer<typeof credentialSchema>;

/** As stored: nearly all are active. */
export const credentialText = ({ state, ...rest }: Credential): string =>
  JSON.stringify({ ...rest, ...(state !== 'active' && { state }) });

/** Everything a credential hangs on: its task's causes, itself, its target. */
export const credentialCauses = (credential: Pick<Credential, 'id' | 'target'>, task: Task): Cause[] => [
  cause('credential', credential.id),
  ...taskCauses(task),
  cause('target', credential.target),
];
