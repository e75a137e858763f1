/** `mayfly timeline`: prints what happened to a task or a workload, or in a request, for people who must understand it now. */
import { Option, type Command } from 'commander';
import { DAY_MS, toTimestamp } from '../domain/time.js';
import { pagesOf } from './people/answered.js';
import { connected, withConnection, type ConnectionOptions } from './people/connection.js';
import { timestampOf, type Terminal } from './terminal.js';
import { timelineLines, timelineSchema, type TimelineEntry } from './timeline-lines.js';

interface Options extends ConnectionOptions {
  task?: string;
  workload?: string;
  request?: string;
  from?: string;
}

const EXAMPLE = `
  mayfly timeline --task tsk_…

Times are counted from the first entry.`;

export function addTimeline(program: Command, terminal: Terminal): void {
  const { out, clock } = terminal;
  withConnection(program.command('timeline'))
    .description('print what happened to a task or a workload, or in a request, oldest first')
    .option('--task <id>', 'what happened under this task, and to it')
    .addOption(new Option('--workload <id>', 'or to this workload').conflicts('task'))
    .addOption(new Option('--request <id>', 'or in this request (X-Request-ID)').conflicts(['task', 'workload']))
    .option(
      '--from <time>',
      'as in RFC 3339; default: of a task or request all, of a workload the last day',
      timestampOf,
    )
    .addHelpText('after', EXAMPLE)
    .action(async (options: Options) => {
      const query = queryOf(options, clock.reading());
      const connection = await connected(options, terminal);
      let first: TimelineEntry | undefined;
      for await (const { entries } of pagesOf(connection, { path: '/timeline', query, page: timelineSchema })) {
        first ??= entries[0];
        if (first) for (const line of timelineLines(entries, first)) out(line);
      }
      if (!first) out('Nothing happened.');
    });
}

function queryOf({ task, workload, request, from }: Options, now: number) {
  if (task === undefined && workload === undefined && request === undefined)
    throw new Error('Give --task <id>, --workload <id> or --request <id>.');
  const since = from ?? (workload === undefined ? undefined : toTimestamp(now - DAY_MS));
  return { task, workload, requestId: request, from: since, limit: '1000' };
}
