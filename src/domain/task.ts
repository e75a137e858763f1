/** The task: the unit of trust. Every credential belongs to one task and ends with it. */
import { z } from 'zod';
import { partyRefSchema, rememberedPersonSchema, type PartyRef } from './party.js';
import { moment, natural, selectorSchema, targetAccessSchema } from './schemas.js';
import { OUTCOMES } from './task-outcome.js';

export const taskSchema = z.strictObject({
  id: z.string(),
  /** The ids of its ancestors, the root first; empty for a root task. */
  lineage: z.array(z.string()).default([]),
  /** Who acts above it, the nearest first: of each ancestor its id, its workload, and who opened it if that was another. */
  above: z.array(z.string()).optional(),
  /** The workloads of the tasks above it, the nearest first, without itself. Absent if there are none, or they are the same. */
  chain: z.array(partyRefSchema).optional(),
  /**
   * The credentials by which it, or a task above it, was handed on; the nearest first. It lives no longer than they do, so a hold
   * that ends them ends it.
   */
  handedOn: z.array(z.string()).optional(),
  /** The task that it goes on with. It hangs on nothing of that one: policy has decided anew. */
  continues: z.string().optional(),
  workload: partyRefSchema,
  /** The person whom the task serves, or the workload that handed it on; absent if it serves its own workload. */
  principal: rememberedPersonSchema.optional(),
  /** The person's own token was presented, by them or by the workload. Absent if somebody only named them. */
  principalProven: z.literal(true).optional(),
  /** Who alone may act for the person, where their token says so (`may_act`): also under tasks below. */
  mayAct: z.strictObject({ sub: z.string(), iss: z.string().exactOptional() }).optional(),
  /** The party that opened the task; absent if that was its workload. */
  openedBy: partyRefSchema.optional(),
  /**
   * The addresses of persons who opened it, or a task above it: an identity provider may call a person otherwise elsewhere, and nobody
   * agrees to what they have asked for.
   */
  openerAddresses: z.array(z.string()).optional(),
  /** `<trust name>:<run>`: the run by whose token it was opened. It ends with that run. Absent where the token named none. */
  run: z.string().optional(),
  /** Whoever names no task is led to it: all that one run asks for with a purpose, or a workload with the purpose of a target. */
  shared: z.literal(true).optional(),
  purpose: z.string(),
  purposeFrom: z.enum(['opener', 'agent', 'default']),
  /** The ceiling: the most that can be granted under the task. Absent if policy alone decides. */
  ceiling: z.array(targetAccessSchema).optional(),
  openedAt: moment,
  deadline: moment,
  /** Of a shared task, each request that is granted is one. */
  heartbeat: z.strictObject({ intervalSeconds: z.int(), missesAllowed: z.int(), lastAt: moment }).optional(),
  /** Until then people may answer what was asked under it. Of a shared task: it is not idle before. */
  asksUntil: moment.optional(),
  /** Approvals that were used once and whose yes stands for the rest of the task, the latest first. */
  approvals: z.array(z.string()).optional(),
  /** `<generation>.<sequence>` of the revocation log when the task was born. */
  epoch: z.string(),
  /** The causes of its parent at birth. The selectors behind them are in the records of the ancestors. */
  inherits: z.array(z.string()).optional(),
  /**
   * Selectors that the task still hangs on after its parties changed: former teams of its workload, former addresses of its
   * principal.
   */
  formerly: z.array(selectorSchema).optional(),
  /** Its credentials that may be alive. A later write drops those that have ended. */
  credentials: z.array(z.strictObject({ id: z.string(), expiresAt: moment })),
  /** How often it was suspended. `suspended` says whether the latest suspension is in force. */
  suspensions: natural.default(0),
  suspended: z.boolean().default(false),
  /** A copy of the end, which the log decides. It is needed once the log has forgotten its entry. */
  ended: z.strictObject({ as: z.enum(OUTCOMES), at: moment, reason: z.string().optional() }).optional(),
  /** Every write raises it: see store/record.ts. */
  revision: natural.default(0),
});

export type Task = z.infer<typeof taskSchema>;

/**
 * Returns ids from the one that acts to the one that is served: the workload, who opened the task, the same of each task above, and
 * the person. Of a task from before ancestors were recorded, the ids of the tasks above stand for all of these.
 */
export const chainOf = ({ principal, ...task }: Task): string[] =>
  [...actorsOf(task), ...aboveOf(task), ...(principal ? [principal.id] : [])].filter(
    (id, at, all) => id !== all[at - 1],
  );

/** Returns the `above` of a task under this parent. */
export const aboveUnder = (parent: Task): string[] => [parent.id, ...actorsOf(parent), ...aboveOf(parent)];

/** Returns the `chain` of a task for this workload under this parent. */
export const chainUnder = ({ workload: above, chain = [] }: Task, workload: PartyRef): Pick<Task, 'chain'> => {
  const whole = above.id === workload.id ? chain : [above, ...chain];
  return whole.length > 0 ? { chain: whole } : {};
};

const actorsOf = ({ workload, openedBy }: Pick<Task, 'workload' | 'openedBy'>): string[] =>
  openedBy ? [workload.id, openedBy.id] : [workload.id];

/** Returns who acts above the task, the nearest first. */
export const aboveOf = ({ above, lineage }: Pick<Task, 'above' | 'lineage'>): string[] => above ?? lineage.toReversed();

/** Returns the record as it is stored: without the values that every task is born with, because most tasks never change. */
export const taskText = ({ lineage, suspensions, suspended, revision, ...rest }: Task): string =>
  JSON.stringify({
    ...rest,
    ...(lineage.length > 0 && { lineage }),
    ...(suspensions > 0 && { suspensions }),
    ...(suspended && { suspended }),
    ...(revision > 0 && { revision }),
  });
