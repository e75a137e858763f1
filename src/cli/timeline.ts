/** `mayfly timeline`: prints what happened to a task or a workload, or in a request, for people who must understand it now. */
import { Option, type Command } from 'commander';
import { DAY_MS, toTimestamp } from '../domain/time.js';
import { askBroker } from './broker-client.js';
import { brokerUrl, readIdentity } from './broker-options.js';
import { timestampOf, type Terminal } from './terminal.js';
import { timelineLines, timelineSchema, type TimelineEntry } from './timeline-lines.js';

interface Options {
  broker: string;
  tokenFile: string;
  task?: string;
  workload?: string;
  request?: string;
  from?: string;
}

const EXAMPLE = `
  mayfly timeline --task tsk_… --broker https://mayfly.example --token-file ~/.mayfly-token

Times are counted from the first entry.`;

export function addTimeline(program: Command, { out, clock }: Terminal): void {
  program
    .command('timeline')
    .description('print what happened to a task or a workload, or in a request, oldest first')
    .requiredOption('--broker <url>', 'the issuer of the broker')
    .requiredOption('--token-file <path>', 'your identity token; policy must permit readAudit')
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
      const url = addressOf(options, clock.reading());
      const token = await readIdentity(options.tokenFile);
      let first: TimelineEntry | undefined;
      for await (const entries of pages(url, token)) {
        first ??= entries[0];
        if (first) for (const line of timelineLines(entries, first)) out(line);
      }
      if (!first) out('Nothing happened.');
    });
}

function addressOf({ broker, task, workload, request, from }: Options, now: number): URL {
  const url = brokerUrl(broker, '/timeline');
  if (task === undefined && workload === undefined && request === undefined)
    throw new Error('Give --task <id>, --workload <id> or --request <id>.');
  const since = from ?? (workload === undefined ? undefined : toTimestamp(now - DAY_MS));
  for (const [name, value] of Object.entries({ task, workload, requestId: request, from: since, limit: '1000' }))
    if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

async function* pages(url: URL, token: string): AsyncGenerator<TimelineEntry[]> {
  for (let after: number | undefined = 0; after !== undefined;) {
    url.searchParams.set('after', String(after));
    const page = timelineSchema.safeParse(await askBroker(url, { token, scheme: 'Bearer ' }));
    if (!page.success) throw new Error(`${url.origin} answered with something else than a timeline.`);
    yield page.data.entries;
    // A server that answers with a place that was passed already would keep this loop going for ever.
    const { next } = page.data;
    after = next !== undefined && next > after ? next : undefined;
  }
}
