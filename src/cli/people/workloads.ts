/** `mayfly workloads`: lists the workloads that called lately, as far as the caller may know of them. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { z } from 'zod';
import { LEVELS } from '../../domain/signal.js';
import type { Terminal } from '../terminal.js';
import { pagesOf, warnOf } from './answered.js';
import { connected, withConnection, type ConnectionOptions } from './connection.js';
import { columns, jsonLine } from './lines.js';

interface Options extends ConnectionOptions {
  owner?: string;
  issuer?: string;
  held?: true;
  risk?: string;
  live?: true;
  limit?: string;
  json?: true;
}

/** Members that it does not know are kept, for `--json`. */
const rowSchema = z.looseObject({
  workload: z.string(),
  issuer: z.string(),
  owner: z.looseObject({ name: z.string(), contact: z.string().optional() }).optional(),
  lastSeenAt: z.string(),
  held: z.boolean(),
  risk: z.string(),
  live: z.object({ credentials: z.int(), tasks: z.int() }).optional(),
  all: z.boolean().optional(),
});

const pageSchema = z.object({
  workloads: z.array(rowSchema),
  next: z.string().optional(),
  unknown: z.array(z.string()).optional(),
});

export function addWorkloads(program: Command, terminal: Terminal): void {
  withConnection(program.command('workloads'))
    .description('list the workloads that called in the last month and that you may know of')
    .option('--owner <team>', 'those of this team')
    .option('--issuer <trust name>', 'those that this issuer proves')
    .option('--held', 'those that are held')
    .addOption(new Option('--risk <level>', 'those whose risk is this now').choices(LEVELS))
    .option('--live', 'also count what is alive of each: each costs a request')
    .option('--limit <number>', 'so many at most; default: all', countOf)
    .option('--json', 'one workload a line, as the broker answers it')
    .action(async ({ owner, issuer, held, risk, live, limit, json, ...options }: Options) => {
      const connection = await connected(options, terminal);
      const flags = { held: held && 'true', live: live && 'true' };
      const query = { owner, issuer, risk, ...flags, limit: String(Math.min(Number(limit ?? 500), 500)) };
      let left = Number(limit ?? Infinity);
      const found: z.infer<typeof rowSchema>[] = [];
      for await (const page of pagesOf(connection, { path: '/workloads', query, page: pageSchema })) {
        const { workloads } = page;
        warnOf(page, terminal.err);
        found.push(...workloads.slice(0, left));
        left -= workloads.length;
        if (left <= 0) break;
      }
      for (const line of json ? found.map(jsonLine) : linesOf(found)) terminal.out(line);
    });
}

function linesOf(found: readonly z.infer<typeof rowSchema>[]): string[] {
  if (found.length === 0) return ['No workload fits that called in the last month and that you may know of.'];
  const rows = found.map(({ workload, owner, lastSeenAt, held, risk, live, all }) => [
    workload,
    owner?.name ?? '-',
    owner?.contact ?? '-',
    `seen ${lastSeenAt}`,
    held ? 'held' : '-',
    `risk ${risk}`,
    live === undefined ? '' : `${live.credentials} credentials of ${live.tasks}${all ? '' : '+'} tasks`,
  ]);
  return columns(rows);
}

function countOf(text: string): string {
  if (/^[1-9]\d{0,8}$/.test(text)) return text;
  throw new InvalidArgumentError('It is a number, such as 20.');
}
