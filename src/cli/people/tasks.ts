/** `mayfly tasks`: lists the tasks that are not over, as far as the caller may read them. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Terminal } from '../terminal.js';
import { pagesOf, warnOf } from './answered.js';
import { connected, withConnection, type ConnectionOptions } from './connection.js';
import { columns, jsonLine } from './lines.js';
import { listSchema, taskRow } from './task.js';

interface Options extends ConnectionOptions {
  state?: string;
  workload?: string;
  principal?: string;
  purpose?: string;
  run?: { issuer: string; run: string };
  json?: true;
}

export function addTasks(program: Command, terminal: Terminal): void {
  withConnection(program.command('tasks'))
    .description('list the tasks that are open or suspended and that you may read')
    .addOption(new Option('--state <state>', 'default: both').choices(['open', 'suspended']))
    .option('--workload <id>', 'those on which this workload works')
    .option('--principal <id>', 'those that serve this person')
    .option('--purpose <text>', 'those with exactly this purpose')
    .option('--run <id>', 'those that this run has opened, such as ci:4711: <trust name>:<run>', runOf)
    .option('--json', 'one task a line, as the broker answers it')
    .action(async ({ state, workload, principal, purpose, run, json, ...options }: Options) => {
      const connection = await connected(options, terminal);
      const query = { state, workload, principal, purpose, ...run, limit: '500' };
      let count = 0;
      for await (const page of pagesOf(connection, { path: '/tasks', query, page: listSchema })) {
        const { tasks } = page;
        warnOf(page, terminal.err);
        count += tasks.length;
        for (const line of json ? tasks.map(jsonLine) : columns(tasks.map(taskRow))) terminal.out(line);
      }
      if (json) return;
      terminal.out(count === 0 ? NOTHING : 'End one by its id: mayfly revoke --reason … task <id>');
      if (count === 0 && [workload, principal].some(isShort)) terminal.out(WHOLE_NAMES);
    });
}

const NOTHING = 'No task is open or suspended that fits and that you may read.';

const isShort = (name: string | undefined): boolean => name !== undefined && !name.includes(':');
const WHOLE_NAMES = 'Names begin with a trust name, such as lab:agent-7. Is that what you mean?';

/** A trust name has no colon. */
function runOf(text: string): NonNullable<Options['run']> {
  const [, issuer, run] = /^([^:]+):(.+)$/.exec(text) ?? [];
  if (issuer !== undefined && run !== undefined) return { issuer, run };
  throw new InvalidArgumentError('It is <trust name>:<run>, such as ci:4711.');
}
