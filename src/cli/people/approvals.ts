/** `mayfly approvals`: what waits for you, and your answer to it. What is answered is what was shown. */
import type { Command } from 'commander';
import { z } from 'zod';
import { defined } from '../../domain/defined.js';
import type { Terminal } from '../terminal.js';
import { answered, pagesOf } from './answered.js';
import { connected, withConnection, type Connection, type ConnectionOptions } from './connection.js';
import { agreed } from './keyboard.js';
import { columns, factLines, jsonLine } from './lines.js';

interface Options extends ConnectionOptions {
  reason?: string;
  lifetime?: string;
  review?: true;
  yes?: true;
  json?: true;
}

const accessSchema = z.array(z.object({ path: z.string(), actions: z.array(z.string()) }));
const approvalSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  task: z.string(),
  workload: z.string(),
  purpose: z.string(),
  target: z.string(),
  terms: z.object({ access: accessSchema, lifetimeSeconds: z.int() }),
  missing: z.array(z.object({ group: z.string(), approvers: z.int() })),
  lapsesAt: z.string(),
  answer: z
    .looseObject({
      digest: z.string(),
      onBehalfOf: z.string().optional(),
      chain: z.array(z.string()),
      purposeFrom: z.string(),
      sensitivity: z.array(z.string()),
      policies: z.array(z.string()),
    })
    .optional(),
});
type Approval = z.infer<typeof approvalSchema>;
const pageSchema = z.object({ approvals: z.array(approvalSchema), next: z.string().optional() });

export function addApprovals(program: Command, terminal: Terminal): void {
  const approvals = program.command('approvals').description('what agents ask people to agree to: list, show, answer');
  withConnection(approvals.command('list'))
    .description('list what waits for you')
    .option('--review', 'emergencies that nobody has reviewed, in place of that')
    .option('--json', 'one a line, as the broker answers it')
    .action((options: Options) => list(options, terminal));
  withConnection(approvals.command('show'))
    .description('show who asks, for whom, for what, why and for how long')
    .argument('<id>', 'as `mayfly approvals list` shows it')
    .option('--json', 'as the broker answers it')
    .action((id: string, options: Options) => show(id, options, terminal));
  withConnection(approvals.command('approve'))
    .description('show it, ask, and agree to exactly that')
    .argument('<id>')
    .option('--lifetime <seconds>', 'for a shorter time')
    .option('--reason <text>', 'for the audit log')
    .option('--yes', 'do not ask')
    .action((id: string, options: Options) => decide('approve', id, options, terminal));
  withConnection(approvals.command('deny'))
    .description('refuse it, for good')
    .argument('<id>')
    .requiredOption('--reason <text>', 'for whoever asks, and for the audit log')
    .action((id: string, options: Options) => decide('deny', id, { ...options, yes: true }, terminal));
  withConnection(approvals.command('review'))
    .description('close the review of an emergency that somebody else has declared')
    .argument('<id>')
    .requiredOption('--reason <text>', 'what was found')
    .action((id: string, options: Options) => review(id, options, terminal));
}

async function list({ review: reviews, json, ...options }: Options, { out, env = {} }: Terminal): Promise<void> {
  const connection = await connected(options, { env });
  const query = { state: reviews ? 'review' : 'pending', limit: '200' };
  let count = 0;
  for await (const { approvals } of pagesOf(connection, { path: '/approvals', query, page: pageSchema })) {
    count += approvals.length;
    for (const line of json ? approvals.map(jsonLine) : columns(approvals.map(row))) out(line);
  }
  if (!json) out(count === 0 ? 'Nothing waits for you.' : 'Read one by its id: mayfly approvals show <id>');
}

const row = ({ id, lapsesAt, workload, target, terms }: Approval): string[] => [
  id,
  `until ${lapsesAt}`,
  workload,
  `${target} ${accessText(terms.access)}`,
];

const accessText = (access: z.infer<typeof accessSchema>): string =>
  access.map(({ path, actions }) => `${path}:${actions.join('+')}`).join(', ');

async function read({ at, ask }: Connection, id: string): Promise<{ whole: unknown; approval: Approval }> {
  const whole = await ask(at(`/approvals/${encodeURIComponent(id)}`));
  return { whole, approval: answered(approvalSchema, whole) };
}

async function show(id: string, { json, ...options }: Options, terminal: Terminal): Promise<void> {
  const { whole, approval } = await read(await connected(options, terminal), id);
  for (const line of json ? [jsonLine(whole)] : linesOf(approval)) terminal.out(line);
}

function linesOf({ id, state, workload, purpose, target, terms, missing, lapsesAt, answer }: Approval): string[] {
  return [
    `${id} is ${state}.`,
    ...factLines([
      ['who', workload],
      ['for whom', answer?.onBehalfOf],
      ['chain', answer?.chain.join(' < ')],
      ['what', `${accessText(terms.access)} at ${target}`],
      ['labels', answer?.sensitivity.join(', ')],
      ['why', `${purpose}${answer ? ` (says the ${answer.purposeFrom})` : ''}`],
      ['how long', `${terms.lifetimeSeconds} seconds`],
      ['wanted by', answer?.policies.join(', ')],
      ['wanted', missing.map(({ group, approvers }) => `${approvers} of ${group}`).join(', ')],
      ['until', lapsesAt],
    ]),
  ];
}

async function decide(decision: 'approve' | 'deny', id: string, options: Options, terminal: Terminal): Promise<void> {
  const { reason, lifetime, yes } = options;
  const connection = await connected(options, terminal);
  const { approval } = await read(connection, id);
  for (const line of linesOf(approval)) terminal.out(line);
  if (!approval.answer) throw new Error('You may not answer it.');
  if (!yes && !(await agreed('Agree to it?', terminal))) throw new Error('Nothing was answered.');
  const lifetimeSeconds = lifetime === undefined ? undefined : Number(lifetime);
  const body = defined({ decision, digest: approval.answer.digest, reason, lifetimeSeconds });
  const { state } = answered(
    approvalSchema,
    await connection.ask(connection.at(`/approvals/${approval.id}/decision`), { body }),
  );
  terminal.out(state === 'pending' ? 'Your answer stands. Somebody else must agree too.' : `It is ${state}.`);
}

async function review(id: string, { reason: note, ...options }: Options, terminal: Terminal): Promise<void> {
  const { at, ask } = await connected(options, terminal);
  answered(approvalSchema, await ask(at(`/approvals/${encodeURIComponent(id)}/review`), { body: { note } }));
  terminal.out('The review is closed.');
}
