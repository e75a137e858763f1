/** The task: the unit of trust. Everything that is granted hangs on one, and ends with it. */
import { z } from 'zod';
import { targetAccessSchema } from './access.js';
import { partyRefSchema, rememberedPersonSchema } from './party.js';
import { moment, natural, selectorSchema } from './schemas.js';

/** How a task ended. `revoked`: by an operator, a signal or a detector; `expired`: deadline or missed heartbeats. */
const OUTCOMES = ['completed', 'failed', 'cancelled', 'expired', 'revoked'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What a caller may declare; the other two are the broker's own. */
export const DECLARED_OUTCOMES = ['completed', 'failed', 'cancelled'] as const;

export const taskSchema = z.strictObject({
  id: z.string(),
  /** Ancestors, root first; empty for a root. */
  lineage: z.array(z.string()).default([]),
  workload: partyRefSchema,
  /** Whom the task serves, when that is not the workload itself. */
  principal: rememberedPersonSchema.optional(),
  /** Their own token was presented, by themselves or by the workload; otherwise they were merely named. */
  principalProven: z.literal(true).optional(),
  /** Who opened it, when that was not the workload itself. */
  openedBy: partyRefSchema.optional(),
  purpose: z.string(),
  purposeFrom: z.enum(['opener', 'agent', 'default']),
  /** The most that can be granted under the task; absent: policy alone decides. */
  ceiling: z.array(targetAccessSchema).optional(),
  openedAt: moment,
  deadline: moment,
  heartbeat: z.strictObject({ intervalSeconds: z.int(), missesAllowed: z.int(), lastAt: moment }).optional(),
  /** `<generation>.<sequence>` of the log at birth. */
  epoch: z.string(),
  /** The causes of its parent when it was born. Their names are in the records of its ancestors. */
  inherits: z.array(z.string()).optional(),
  /** What the task goes on hanging on though its parties no longer say so: teams that its workload had, addresses of its principal. */
  formerly: z.array(selectorSchema).optional(),
  /** What lives under it, as far as known: ended ones are dropped at the next write. */
  credentials: z.array(z.strictObject({ id: z.string(), expiresAt: moment })),
  /** How often it was suspended; `suspended` says whether the last one still stands. */
  suspensions: natural.default(0),
  suspended: z.boolean().default(false),
  /** Written as `open`; the truth about the end is in the log, and copied here for when the log has forgotten. */
  ended: z.strictObject({ as: z.enum(OUTCOMES), at: moment, reason: z.string().optional() }).optional(),
  /** Raised by every write: see store/record.ts. */
  revision: natural.default(0),
});

export type Task = z.infer<typeof taskSchema>;

/** As stored: without what every task is born with, for most tasks of a million never change. */
export const taskText = ({ lineage, suspensions, suspended, revision, ...rest }: Task): string =>
  JSON.stringify({
    ...rest,
    ...(lineage.length > 0 && { lineage }),
    ...(suspensions > 0 && { suspensions }),
    ...(suspended && { suspended }),
    ...(revision > 0 && { revision }),
  });
