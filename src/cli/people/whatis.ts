/** `mayfly whatis`: says what a pasted text is, whether it lives, whose it is, and how to end it. */
import type { Command } from 'commander';
import { masked } from '../../domain/text.js';
import { holdsToken } from '../../domain/token-in-text.js';
import type { Terminal } from '../terminal.js';
import { connected, withConnection, type Connection, type ConnectionOptions } from './connection.js';
import { describeThing } from './describe-thing.js';
import { pasted } from './keyboard.js';
import { jsonLine } from './lines.js';
import { recognised, THINGS_MOST, type Thing } from './recognise.js';

const EXAMPLE = `
  mayfly whatis                    (paste what may be a secret: it is not shown, and not in the history of your shell)
  mayfly whatis tsk_…

It knows tokens and deferral codes; ids of credentials, also those that their targets gave them, of tasks, approvals, decisions,
signals and requests; numbers of revocations; names of workloads, persons, sessions and targets; and links to refusals. A line of a log may have several.
A token goes to the broker in the body of a request and nowhere else; names and ids stand in the audit log.`;

export function addWhatis(program: Command, terminal: Terminal): void {
  withConnection(program.command('whatis'))
    .description('say what a pasted text is, whether it lives, whose it is, and how to end it')
    .argument('[text]', 'what was found; without it you are asked to paste it')
    .option('--json', 'what the broker answers, one thing a line')
    .addHelpText('after', EXAMPLE)
    .action(async (given: string | undefined, { json, ...options }: ConnectionOptions & { json?: true }) => {
      if (given !== undefined && holdsToken(given)) terminal.err(IN_HISTORY);
      const connection = await connected(options, terminal);
      const text = given?.trim() ?? (await pasted(terminal));
      const things = recognised(text);
      if (things.length === 0) throw new Error(text === '' ? 'Nothing was pasted or piped in.' : UNKNOWN);
      const described = await Promise.all(
        things.slice(0, THINGS_MOST).map((thing) => shown(thing, { text, connection, terminal, json })),
      );
      if (things.length > THINGS_MOST)
        terminal.err(`There is more in the text: only ${THINGS_MOST} things of it are shown.`);
      if (!described.includes(true)) throw new Error('Nothing of it is known here, or not to you.');
    });
}

const IN_HISTORY =
  'A secret on the command line stays in the history of your shell: remove it there. Next time paste it when asked.';
const UNKNOWN =
  'That is nothing that can be told by its form, so nothing of it was sent anywhere. If it is a name: mayfly revoke <kind> <name> --dry-run';

interface Showing {
  text: string;
  connection: Connection;
  terminal: Terminal;
  json: true | undefined;
}

/** Returns whether something could be said. What one thing is refused with does not hide the others. */
async function shown(thing: Thing, { text, connection, terminal, json }: Showing): Promise<boolean> {
  try {
    const { lines, answer } = await describeThing(thing, text, connection);
    if (json) terminal.out(jsonLine({ ...thing, answer }));
    else for (const line of lines) terminal.out(masked(line));
    return true;
  } catch (error) {
    const name = 'id' in thing ? `${thing.id}: ` : '';
    terminal.err(`${name}${error instanceof Error ? error.message : 'failed'}`);
    return false;
  }
}
