/** Receipts and previews of revocations, as the broker answers them, and the sentences that a terminal shows. */
import { z } from 'zod';
import { APPROVAL_STATES, isUnsettled } from '../../domain/approval.js';
import { formatSelector, SELECTOR_KINDS, type Selector } from '../../domain/selector.js';

export const selectorSchema = z.object({ kind: z.enum(SELECTOR_KINDS), value: z.string() });

const counts = z.record(z.string(), z.int());
const affectedSchema = z.object({ credentials: z.int(), tasks: z.int(), byTarget: counts, byOwner: counts });

/** Members that it does not know are kept, for `--json`. */
const orderSchema = z.looseObject({ selector: selectorSchema, effect: z.string(), seen: z.boolean().optional() });

export const previewSchema = orderSchema.extend({ dryRun: z.literal(true), affected: affectedSchema });

export const receiptSchema = orderSchema.extend({
  seq: z.int(),
  at: z.string(),
  actor: z.string(),
  reason: z.string(),
  ticket: z.string().optional(),
  reaction: z.string().optional(),
  until: z.string().optional(),
  liftedBy: z.int().optional(),
  affected: affectedSchema.nullable(),
});

/** Of a deferral code that was found. */
export const leakedApprovalSchema = z.looseObject({
  approval: z.object({ id: z.string(), task: z.string(), workload: z.string(), state: z.enum(APPROVAL_STATES) }),
});

export type LeakedApproval = z.infer<typeof leakedApprovalSchema>;
export type Preview = z.infer<typeof previewSchema>;
export type Receipt = z.infer<typeof receiptSchema>;
type Affected = z.infer<typeof affectedSchema>;

export const isLeakedApproval = (answer: object): answer is LeakedApproval => 'approval' in answer;

export const leakedApprovalText = ({ approval: { id, workload, task, state } }: LeakedApproval): string =>
  `${id}, a question to people that ${workload} has asked under ${task}: ${state}`;

/** Returns whether something can still be granted by it: a yes may have been used, and stand for the rest of its task. */
export const isOpen = ({ approval: { state } }: LeakedApproval): boolean => isUnsettled(state);

export const isInForce = ({ effect, liftedBy }: Receipt): boolean => effect === 'hold' && liftedBy === undefined;

/** For example `3 credentials of 2 tasks (https://tickets.example 3; team sre 3)`. */
export function counted(affected: Affected | null): string {
  if (!affected) return 'what the broker is counting now';
  const total = `${affected.credentials} credentials of ${affected.tasks} tasks`;
  const targets = Object.entries(affected.byTarget).map(([name, count]) => `${name} ${count}`);
  const owners = Object.entries(affected.byOwner).map(([name, count]) => `team ${name} ${count}`);
  const parts = [...targets, ...owners];
  return parts.length === 0 ? total : `${total} (${parts.join('; ')})`;
}

/** Returns a value of an argument as a shell takes it: bare where that is safe, else in single quotes. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** Returns the command that ends or holds what the selector names, to be pasted into a shell. */
export function commandFor({ kind, value }: Selector): string {
  const end = value.startsWith('-') ? `-- ${quoted(value)}` : quoted(value);
  return `mayfly revoke --reason '…' ${value === '' ? kind : `${kind} ${end}`}`;
}

export const orderText = ({ effect, selector }: Pick<Receipt, 'effect' | 'selector'>): string =>
  `${effect} of ${formatSelector(selector)}`;
