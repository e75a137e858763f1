/** An approval as the broker answers it, and as it is shown to people. */
import { z } from 'zod';
import { answered } from './answered.js';
import type { Connection } from './connection.js';
import { factLines } from './lines.js';

const accessSchema = z.array(z.object({ path: z.string(), actions: z.array(z.string()) }));
export type ShownAccess = z.infer<typeof accessSchema>;

export const approvalSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  task: z.string(),
  workload: z.string(),
  purpose: z.string(),
  target: z.string(),
  terms: z.object({ access: accessSchema, lifetimeSeconds: z.int() }),
  missing: z.array(z.object({ group: z.string(), approvers: z.int(), reuse: z.boolean().optional() })),
  lapsesAt: z.string(),
  answer: z
    .looseObject({
      digest: z.string(),
      onBehalfOf: z.string().optional(),
      chain: z.array(z.string()),
      owner: z.looseObject({ name: z.string(), contact: z.string().optional() }).optional(),
      purposeFrom: z.string(),
      sensitivity: z.array(z.string()),
      policies: z.array(z.string()),
      answers: z.array(z.looseObject({ by: z.string(), says: z.string() })),
      mayAnswerFor: z.array(z.string()),
      mayBreakGlass: z.boolean(),
    })
    .optional(),
});
export type ShownApproval = z.infer<typeof approvalSchema>;

export async function readApproval(
  { at, ask }: Connection,
  id: string,
): Promise<{ whole: unknown; approval: ShownApproval }> {
  const whole = await ask(at(`/approvals/${encodeURIComponent(id)}`));
  return { whole, approval: answered(approvalSchema, whole) };
}

/** Returns access as `--only` takes it. */
export const accessText = (access: ShownAccess): string =>
  access.map(({ path, actions }) => `${path}:${actions.join('+')}`).join(' ');

export const approvalLines = ({ id, state, workload, purpose, target, terms, lapsesAt, ...rest }: ShownApproval) => [
  `${id} is ${state}.`,
  ...factLines([
    ['who', `${workload}${ownerText(rest)}`],
    ['for whom', rest.answer?.onBehalfOf],
    ['chain', chainText(rest.answer?.chain)],
    ['what', `${accessText(terms.access)} at ${target}`],
    ['labels', listed(rest.answer?.sensitivity)],
    ['why', `${purpose}${rest.answer ? ` (says the ${rest.answer.purposeFrom})` : ''}`],
    ['how long', `${terms.lifetimeSeconds} seconds`],
    ['wanted by', listed(rest.answer?.policies)],
    ['wanted', listed(rest.missing.map(wantedText))],
    ['said so far', listed(rest.answer?.answers.map(({ by, says }) => `${by} says ${says}`))],
    ['until', lapsesAt],
  ]),
];

function ownerText({ answer }: Pick<ShownApproval, 'answer'>): string {
  if (!answer?.owner) return '';
  const { name, contact } = answer.owner;
  return ` (of ${name}${contact === undefined ? '' : `, ${contact}`})`;
}

const wantedText = ({ group, approvers, reuse }: ShownApproval['missing'][number]): string =>
  `${approvers} of ${group}${reuse ? ', for the rest of the task' : ''}`;

/** Whoever acts for nobody else is named already. */
const chainText = (chain: readonly string[] = []): string | undefined =>
  chain.length > 1 ? chain.join(' < ') : undefined;

const listed = (texts: readonly string[] | undefined): string | undefined => texts?.join(', ') || undefined;
