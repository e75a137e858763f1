/** `mayfly headers`: for tools that run a command to get the headers of their requests, and run it again after a 401. */
import { Option, type Command } from 'commander';
import { addAgentOptions, brokerOf, wishOf, type AgentOptions } from './agent-options.js';
import type { Terminal } from './terminal.js';

interface Options extends AgentOptions {
  target: string;
  task?: string;
}

const EXAMPLE = `
It prints one JSON object, such as {"Authorization":"Bearer …"}, and nothing else; not to a terminal, where others could read it.
The credential is of the task that --task or MAYFLY_TASK names, as it is under "mayfly exec". Without either it is of the one task
that all such requests of this workload share, by the defaultPurpose of the target. No call opens a task of its own.
On a refusal it prints the reason to stderr, and ends with 1.`;

export function addHeaders(program: Command, { out, isScreen }: Terminal): void {
  addAgentOptions(program.command('headers'))
    .description('print the headers with a fresh credential, for tools that run a command to get them')
    .requiredOption('--target <resource>', 'the target of the credential')
    .addOption(new Option('--task <id>', 'under which open task').env('MAYFLY_TASK'))
    .addHelpText('after', EXAMPLE)
    .action(async (options: Options) => {
      if (isScreen)
        throw new Error('The headers have a secret, and are not printed to a terminal. Give them to a tool.');
      // A variable that is set to nothing names no task.
      const task = options.task === '' ? undefined : options.task;
      const { token } = await brokerOf(options).under(task).credential(options.target, wishOf(options));
      out(JSON.stringify({ Authorization: `Bearer ${token}` }));
    });
}
