/** The credential: what was minted, for one target, under one task. */
import { z } from 'zod';
import { accessSchema } from './access.js';
import { cause, type Cause } from './selector.js';
import { taskCauses, type Task } from './task.js';

export const credentialSchema = z.strictObject({
  id: z.string(),
  task: z.string(),
  /** The kind of its target, by name (see `targets/kinds.ts`). */
  kind: z.string(),
  target: z.string(),
  access: z.array(accessSchema),
  issuedAt: z.int().nonnegative(),
  expiresAt: z.int().nonnegative(),
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
  workloadSeq: z.int().nonnegative().optional(),
  /** What the target calls it, such as an access key id. No secret. */
  handle: z.string().optional(),
});

export type Credential = z.infer<typeof credentialSchema>;

/** As stored: nearly all are active. */
export const credentialText = ({ state, ...rest }: Credential): string =>
  JSON.stringify({ ...rest, ...(state !== 'active' && { state }) });

/** Whether a revocation of it must be pushed to its target. */
export const isEnforced = ({ workloadSeq }: Pick<Credential, 'workloadSeq'>): boolean => workloadSeq !== undefined;

/** Everything a credential hangs on: its task's causes, itself, its target, and what it was derived from. */
export function credentialCauses(
  { id, target, workloadSeq, from }: Pick<Credential, 'id' | 'target' | 'workloadSeq' | 'from'>,
  task: Task,
): Cause[] {
  return [
    cause('credential', id),
    ...taskCauses(task),
    cause('target', target),
    ...(isEnforced({ workloadSeq }) ? [cause('target', sessionsOf(target, task.workload.id))] : []),
    ...(from ? [cause('credential', from.credential), cause('target', from.target)] : []),
  ];
}

/** The causes whose cutoffs and holds divide a workload's sessions at a target into those before and those after. */
export const sessionCuts = (target: string, workload: string): Cause[] => [
  cause('workload', workload),
  cause('target', sessionsOf(target, workload)),
];

/** A target's credentials of one workload, as the value of a `target` selector: cutting them off ends no task. */
export const sessionsOf = (target: string, workload: string): string => `${target}#${workload}`;
