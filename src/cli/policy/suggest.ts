/** `mayfly policy suggest`: prints the narrower permits that recent use of a workload would have needed, and what they stand on. */
import type { Command } from 'commander';
import { parseEntry } from '../../audit/event.js';
import { addUp } from '../../audit/usage.js';
import { masked } from '../../domain/text.js';
import { DAY_MS, toTimestamp } from '../../domain/time.js';
import { suggestPermits } from '../../policy/cedar/suggest.js';
import { pagesOf } from '../people/answered.js';
import { auditPageSchema } from '../people/answers.js';
import { connected, withConnection, type Connection, type ConnectionOptions } from '../people/connection.js';
import type { Terminal } from '../terminal.js';
import { sinceOption } from './since.js';
import { useOf, type UseOfWorkload } from './use-of-workload.js';

interface Options extends ConnectionOptions {
  workload: string;
  /** Milliseconds. */
  since: number;
}

const EXAMPLE = `
  mayfly policy suggest --workload lab:agent-1 --since 7d > suggested.cedar

It needs readAudit. What nobody reports is unknown, and not unused: see that the APIs report (docs/resource-servers.md).
Put the permits in the place of the one that grants more, with whatever else that demands (when, unless): it is not in them.
Forbids stay as they are.`;

export function addSuggest(policy: Command, terminal: Terminal): void {
  withConnection(policy.command('suggest'))
    .description('print narrower permits for a workload, by what it used of what it was granted')
    .requiredOption('--workload <id>', 'such as lab:agent-1')
    .addOption(sinceOption(7 * DAY_MS, '7d'))
    .addHelpText('after', EXAMPLE)
    .action(async ({ workload, since, ...options }: Options) => {
      const from = toTimestamp(terminal.clock.reading() - since);
      const use = useOf(await usageOf(await connected(options, terminal), { workload, from }));
      if (use.accesses.length === 0) throw new Error(NOTHING(workload, from, use));
      for (const line of foundation(workload, from, use)) terminal.out(masked(`// ${line}`));
      terminal.out(`\n${suggestPermits(workload, use.accesses)}`);
    });
}

/** Different uses that are kept in memory; what is beyond is counted, and named nowhere. */
const USES_MOST = 100_000;

async function usageOf(connection: Connection, { workload, from }: { workload: string; from: string }) {
  const usage = addUp(USES_MOST);
  const asked = { path: '/audit', query: { workload, from, limit: '1000' }, page: auditPageSchema };
  for await (const { lines } of pagesOf(connection, asked)) for (const line of lines) usage.add(parseEntry(line));
  return usage.credentials();
}

const NOTHING = (workload: string, from: string, { credentials }: UseOfWorkload): string =>
  credentials === 0
    ? `The audit log has no credential of ${workload} since ${from}.`
    : `No use is known of the ${credentials} credentials of ${workload} since ${from}: do the APIs report? (reportUsage)`;

/** Enough that somebody may believe it. */
const DAYS_ENOUGH = 3;

function foundation(workload: string, from: string, use: UseOfWorkload): string[] {
  const { uses, credentials, days, reporters, unclear, policies } = use;
  const said =
    reporters.length > 0 ? `, as the broker and ${reporters.join(', ')} say` : ', as the broker decided them';
  return [
    `What ${workload} used since ${from}: ${uses} uses of ${credentials} credentials on ${days} days${said}.`,
    'What nobody reports is not here. Work that is done once a month is not here either.',
    ...(days < DAYS_ENOUGH
      ? [`CAREFUL: ${days === 1 ? 'one day' : `${days} days`} of use is little to stand on.`]
      : []),
    ...(unclear > 0 ? [`CAREFUL: of ${unclear} uses it is not known what was touched, or what was granted.`] : []),
    `CAREFUL: it was granted by ${policies.join(', ')}. What else they demand (when, unless) is not below: carry it over.`,
    ...use.silent.map((target) => `No use is known at ${target}: nothing is suggested there.`),
    ...use.unused.map((one) => `Granted, and no use is known: ${one}`),
    ...use.beyondGrant.map((one) => `Let pass by the API, and never granted: ${one}`),
    'A permit for single paths lets the workload ask for those, and no more for a pattern such as incident/*.',
  ];
}
