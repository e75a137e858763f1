/** `mayfly canary mint`: prints a token to lay out where only a thief looks. Any use of it raises an alarm. */
import { InvalidArgumentError, type Command } from 'commander';
import { locally } from '../compose/local.js';
import { mintCanary } from '../credentials/mint-canary.js';
import { isId } from '../domain/id.js';
import { LOCAL } from '../domain/reserved.js';
import { hasUnprintable } from '../domain/text.js';
import { DAY_MS } from '../domain/time.js';
import { CONFIG, type Terminal } from './terminal.js';

interface Options {
  label: string;
  days: number;
  target?: string;
  task?: string;
  workload?: string;
  config?: string;
}

const LABEL_CHARACTERS = 128;

export function addCanary(program: Command, { out, clock }: Terminal): void {
  program
    .command('canary')
    .description('tokens that were never granted anything: whoever uses one has found it')
    .command('mint')
    .description(
      'print one, made like a credential that an open task has, to be laid out where no honest program looks; it is kept nowhere',
    )
    .requiredOption('--label <text>', 'where it is laid out, or a ticket that says so: the alarm repeats it', labelOf)
    .option('--days <number>', 'for how many days its use raises an alarm', daysOf, 90)
    .option('--target <resource>', 'what it seems to be for; default: the first target of kind jwt')
    .option('--workload <id>', 'the workload that the alarm names, so that a reaction can act')
    .option('--task <id>', 'the same, for one task', taskOf)
    .option(...CONFIG)
    .action(({ config, days, ...request }: Options) =>
      locally(config, clock, async ({ ledger, config: loaded, signing }) => {
        const { audit, decoyMinter: minter } = await signing();
        const deps = { ledger, audit, minter, config: loaded, actor: LOCAL };
        out(await mintCanary(deps, { ...request, watchedUntil: ledger.clock.now() + days * DAY_MS }));
      }),
    );
}

function labelOf(text: string): string {
  if (text.length > 0 && text.length <= LABEL_CHARACTERS && !hasUnprintable(text)) return text;
  throw new InvalidArgumentError(`It is one line of 1 to ${LABEL_CHARACTERS} characters.`);
}

function daysOf(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 365) return Number(text);
  throw new InvalidArgumentError('It is a number from 1 to 365.');
}

function taskOf(text: string): string {
  if (isId('tsk', text)) return text;
  throw new InvalidArgumentError('It reads tsk_ and 16 characters.');
}
