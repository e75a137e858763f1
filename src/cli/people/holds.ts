/** `mayfly holds` lists what is held; `mayfly lift` lifts one hold, or all that one reaction has placed. */
import type { Command } from 'commander';
import { z } from 'zod';
import { formatSelector } from '../../domain/selector.js';
import { masked } from '../../domain/text.js';
import { revocationNumberOf, type Terminal } from '../terminal.js';
import { answered, pagesOf } from './answered.js';
import { connected, withConnection, type Connection, type ConnectionOptions } from './connection.js';
import { columns, jsonLine } from './lines.js';
import { orderText, receiptSchema, type Receipt } from './receipt.js';

interface HoldsOptions extends ConnectionOptions {
  reaction?: string;
  source?: string;
  json?: true;
}

interface LiftOptions extends ConnectionOptions {
  reaction?: string;
  source?: string;
  reason: string;
}

const listSchema = z.object({ revocations: z.array(receiptSchema), next: z.int().optional() });
const liftedSchema = z.object({ lifted: z.int(), refused: z.int(), next: z.int().optional() });

export function addHolds(program: Command, terminal: Terminal): void {
  withConnection(program.command('holds'))
    .description('list the holds that are in force, oldest first')
    .option('--reaction <name>', 'those that this reaction has placed')
    .option('--source <name>', 'those that a signal of this source led to')
    .option('--json', 'one receipt a line, as the broker answers it')
    .action(async ({ reaction, source, json, ...options }: HoldsOptions) => {
      const connection = await connected(options, terminal);
      const holds = await holdsInForce(connection, { reaction, source });
      if (json) for (const hold of holds) terminal.out(jsonLine(hold));
      else for (const line of holdLines(holds)) terminal.out(line);
    });
}

export async function holdsInForce(
  connection: Connection,
  filter: { reaction?: string | undefined; source?: string | undefined },
): Promise<Receipt[]> {
  const query = { state: 'held', limit: '1000', ...filter };
  const found: Receipt[] = [];
  for await (const page of pagesOf(connection, { path: '/revocations', query, page: listSchema })) {
    found.push(...page.revocations);
  }
  return found;
}

function holdLines(holds: readonly Receipt[]): string[] {
  if (holds.length === 0) return ['Nothing is held.'];
  const rows = holds.map((hold) => [
    String(hold.seq),
    hold.at,
    formatSelector(hold.selector),
    `by ${hold.actor}${hold.reaction === undefined ? '' : ` (${hold.reaction})`}`,
    hold.until === undefined ? '' : `until ${hold.until}`,
    hold.reason,
  ]);
  return [...columns(rows), 'Lift one by its number: mayfly lift <number>'];
}

export function addLift(program: Command, terminal: Terminal): void {
  withConnection(program.command('lift'))
    .description('lift a hold: new credentials are possible, what it killed stays dead')
    .argument('[number]', 'of the hold, as `mayfly holds` shows it', revocationNumberOf)
    .option('--reaction <name>', 'all that this reaction holds, in place of a number')
    .option('--source <name>', 'of those: only what a signal of this source led to')
    .option('--reason <text>', 'for the audit log', 'lifted')
    .action(async (number: number | undefined, { reaction, source, reason, ...options }: LiftOptions) => {
      if ((number === undefined) === (reaction === undefined))
        throw new Error('Say the number of a hold, or --reaction <name>.');
      if (reaction === undefined && source !== undefined) throw new Error('--source goes with --reaction.');
      const connection = await connected(options, terminal);
      if (number === undefined) await liftAll(connection, { reaction, source, reason }, terminal);
      else await liftOne(connection, { number, reason }, terminal);
    });
}

async function liftOne(
  { at, ask }: Connection,
  { number, reason }: { number: number; reason: string },
  { out }: Terminal,
) {
  const answer = await ask(at(`/revocations/${number}`, { reason }), { method: 'DELETE' });
  out(masked(`Lifted: ${orderText(answered(receiptSchema, answer))}. What it killed stays dead.`));
}

/** A call lifts so many, and says where to go on. */
async function liftAll({ at, ask }: Connection, wish: object, { out }: Terminal): Promise<void> {
  const total = { lifted: 0, refused: 0 };
  for (let after: number | undefined = 0; after !== undefined;) {
    const answer: z.infer<typeof liftedSchema> = answered(
      liftedSchema,
      await ask(at('/revocations/lift'), { body: { ...wish, after } }),
    );
    total.lifted += answer.lifted;
    total.refused += answer.refused;
    after = answer.next !== undefined && answer.next > after ? answer.next : undefined;
  }
  out(`Lifted: ${total.lifted} holds. What they killed stays dead.`);
  if (total.refused > 0) throw new Error(`${total.refused} are in force as before: policy does not let you lift them.`);
}
