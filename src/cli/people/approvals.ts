/** `mayfly approvals`: what waits for you, and your answer to it. What is answered is what was shown. */
import { Option, type Command } from 'commander';
import { z } from 'zod';
import { wholeSeconds, type Terminal } from '../terminal.js';
import { approve, declareEmergency, deny, review } from './answer-approval.js';
import { pagesOf, warnOf } from './answered.js';
import { accessText, approvalLines, approvalSchema, readApproval, type ShownApproval } from './approval.js';
import { connected, withConnection, type ConnectionOptions } from './connection.js';
import { columns, jsonLine } from './lines.js';

interface Options extends ConnectionOptions {
  review?: true;
  json?: true;
}

const pageSchema = z.object({
  approvals: z.array(approvalSchema),
  next: z.string().optional(),
  unknown: z.array(z.string()).optional(),
});

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
  withLess(withConnection(approvals.command('approve')))
    .description('show it, ask, and agree to exactly that, or to less')
    .option('--reason <text>', 'for the audit log')
    .action((id: string, options: Parameters<typeof approve>[1]) => approve(id, options, terminal));
  withConnection(approvals.command('deny'))
    .description('refuse it, for good')
    .argument('<id>')
    .requiredOption('--reason <text>', 'for whoever asks, and for the audit log')
    .action((id: string, options: Parameters<typeof deny>[1]) => deny(id, options, terminal));
  withLess(withConnection(approvals.command('emergency')))
    .description('show it, say what follows, ask, and agree in the place of everybody who would have to')
    .requiredOption('--reason <text>', 'why it cannot wait: for all who hear of it, and for the audit log')
    .action((id: string, options: Parameters<typeof declareEmergency>[1]) => declareEmergency(id, options, terminal));
  withConnection(approvals.command('review'))
    .description('close the review of an emergency that somebody else has declared')
    .argument('<id>')
    .requiredOption('--reason <text>', 'what was found')
    .action((id: string, options: Parameters<typeof review>[1]) => review(id, options, terminal));
}

const withLess = (command: Command): Command =>
  command
    .argument('<id>')
    .addOption(
      new Option('--only <path:action>', 'nothing but this of what is asked for; repeatable').argParser(
        (text: string, before: string[] | undefined) => [...(before ?? []), text],
      ),
    )
    .option('--lifetime <seconds>', 'for a shorter time', wholeSeconds)
    .option('--yes', 'do not ask');

async function list({ review: reviews, json, ...options }: Options, { out, err, env = {} }: Terminal): Promise<void> {
  const connection = await connected(options, { env });
  const query = { state: reviews ? 'review' : 'pending', limit: '200' };
  let count = 0;
  for await (const page of pagesOf(connection, {
    path: '/approvals',
    query,
    page: pageSchema,
  })) {
    const { approvals } = page;
    count += approvals.length;
    warnOf(page, err);
    for (const line of json ? approvals.map(jsonLine) : columns(approvals.map(row))) out(line);
  }
  if (!json) out(count === 0 ? 'Nothing waits for you.' : 'Read one by its id: mayfly approvals show <id>');
}

const row = ({ id, lapsesAt, workload, target, terms }: ShownApproval): string[] => [
  id,
  `until ${lapsesAt}`,
  workload,
  `${target} ${accessText(terms.access)}`,
];

async function show(id: string, { json, ...options }: Options, terminal: Terminal): Promise<void> {
  const { whole, approval } = await readApproval(await connected(options, terminal), id);
  for (const line of json ? [jsonLine(whole)] : approvalLines(approval)) terminal.out(line);
}
