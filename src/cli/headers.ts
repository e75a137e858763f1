/** `mayfly headers`: for tools that run a command to get the headers of their requests, and run it again after a 401. */
import { Option, type Command } from 'commander';
import { ApprovalNeeded, type Credential, type Task } from '../client/index.js';
import { addAgentOptions, brokerOf, wishOf, type AgentOptions } from './agent-options.js';
import { wholeSeconds, type Terminal } from './terminal.js';

interface Options extends AgentOptions {
  target: string;
  task?: string;
  wait?: number;
}

const EXAMPLE = `
It prints one JSON object, such as {"Authorization":"Bearer …"}, and nothing else; not to a terminal, where others could read it.
The credential is of the task that --task or MAYFLY_TASK names, as it is under "mayfly exec". Without either it is of the one task
that all such requests of this workload share, by the defaultPurpose of the target. No call opens a task of its own.
On a refusal it prints the reason to stderr, and ends with 1. Where people must agree first, that is a refusal too, because tools
give up on a command after some seconds: the same call gets the headers once people have agreed. --wait waits for them.`;

export function addHeaders(program: Command, { out, isScreen }: Terminal): void {
  addAgentOptions(program.command('headers'))
    .description('print the headers with a fresh credential, for tools that run a command to get them')
    .requiredOption('--target <resource>', 'the target of the credential')
    .addOption(new Option('--task <id>', 'under which open task').env('MAYFLY_TASK'))
    .option('--wait <seconds>', 'where people must agree first: for so long; default: not at all', wholeSeconds)
    .addHelpText('after', EXAMPLE)
    .action(async (options: Options) => {
      if (isScreen)
        throw new Error('The headers have a secret, and are not printed to a terminal. Give them to a tool.');
      // A variable that is set to nothing names no task.
      const task = options.task === '' ? undefined : options.task;
      const { token } = await credentialFrom(brokerOf(options).under(task), options);
      out(JSON.stringify({ Authorization: `Bearer ${token}` }));
    });
}

async function credentialFrom(task: Task, options: Options): Promise<Credential> {
  const ask = () => task.credential(options.target, wishOf(options));
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ApprovalNeeded)) throw error;
    const signal = options.wait === undefined ? undefined : AbortSignal.timeout(options.wait * 1000);
    if (!signal) throw untilAgreed(error);
    await task.untilApproved(error, { signal }).catch((why: unknown) => {
      throw signal.aborted ? untilAgreed(error) : why;
    });
    return ask();
  }
}

/** Nothing is lost: the question stands, and asking the same again asks nobody twice. */
const untilAgreed = (asked: ApprovalNeeded): Error =>
  new Error(`People must agree to this first, and they are asked (${asked.approvalId}). Run it again once they have.`, {
    cause: asked,
  });
