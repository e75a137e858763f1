/** `mayfly exec`: runs a command under a task of its own. The task ends with the command, and the command with the task. */
import { Option, type Command } from 'commander';
import { defined } from '../domain/defined.js';
import { addAgentOptions, brokerOf, wishOf } from './agent-options.js';
import { hearEnd } from './hear-end.js';
import { handOver, type HandedOver, type HandingOptions } from './hand-over.js';
import { allowedPath, apiUrl } from './loopback/path.js';
import { runCommand } from './run-command.js';
import { Exit, wholeSeconds, type Terminal } from './terminal.js';

interface Options extends Omit<HandingOptions, 'target'> {
  target?: string;
  purpose: string;
  heartbeat?: number;
  leaveOpen?: true;
}

const EXAMPLE = `
  mayfly exec --broker https://mayfly.example --token-file /var/run/secrets/mayfly/token \\
    --purpose triage --target https://tickets.example --access incident/4711:read -- node agent.js

The command finds the id of the task in MAYFLY_TASK, and its credential
  in the file that MAYFLY_TOKEN_FILE names, which is replaced ahead of the end of what is in it;
  with --endpoint: by GET at MAYFLY_TOKEN_URL, a fresh one for each call;
  with --aws: by itself, if it uses an SDK of AWS; --target is the role, --access are authorization_details as JSON;
  with --proxy: not at all. It calls the API at MAYFLY_PROXY_URL, and the credential is added on the way.
Exit code 0 completes the task; any other, or a signal, fails it. If somebody else ends the task, the command is told to end
(SIGTERM), and ten seconds later it is killed.`;

export function addExec(program: Command, { err }: Terminal): void {
  addAgentOptions(program.command('exec'))
    .description('run a command under a task of its own, with a credential that dies with it')
    .requiredOption('--purpose <text>', 'what the task is for')
    .option('--target <resource>', 'the target of the credential; with --proxy, default: the url')
    .option('--heartbeat <seconds>', 'how often the broker hears that the command runs; default: 30', wholeSeconds)
    .option('--leave-open', 'do not end the task with the command: another process goes on with it')
    .addOption(
      new Option('--endpoint', 'give the credential at an address instead of a file').conflicts(['aws', 'proxy']),
    )
    .addOption(new Option('--aws', 'give a session of a role to SDKs of AWS').conflicts(['lifetime', 'proxy']))
    .option(
      '--proxy <url>',
      'add the credential to what the command sends to this API, and keep it from the command',
      apiUrl,
    )
    .option('--allow <paths...>', 'with --proxy: nothing but these paths, each with all below it', allowedPath)
    .option('--env <name>', 'with --proxy: a further variable for its address, such as OPENAI_BASE_URL')
    .argument('<command...>', 'the command, after --')
    .addHelpText('after', EXAMPLE)
    .action(async (command: string[], { target, ...options }: Options) => {
      const resource = target ?? options.proxy;
      if (resource === undefined) throw new Error('Give --target <resource>.');
      if (options.proxy === undefined && (options.allow ?? options.env) !== undefined) {
        throw new Error('--allow and --env are for --proxy.');
      }
      throw new Exit(await underTask(command, { ...options, target: resource }, err));
    });
}

async function underTask(
  command: readonly string[],
  options: Options & HandingOptions,
  err: (text: string) => void,
): Promise<number> {
  const report = (error: unknown) => err(error instanceof Error ? error.message : 'failed');
  const task = await brokerOf(options).task(defined({ purpose: options.purpose, heartbeatSeconds: options.heartbeat }));
  task.signal.addEventListener('abort', () =>
    err(`${(task.signal.reason as Error).message} The command is told to end.`),
  );
  let handed: HandedOver | undefined;
  let stop: (() => void) | undefined;
  let code = 1;
  try {
    handed = await handOver(task, options, { environment: process.env, report, tell: err });
    // A session of AWS is no token of the broker that could be waited for: there, the heartbeat tells.
    if (!options.aws) stop = hearEnd(task, options.target, wishOf(options));
    code = await runCommand(command, {
      env: { ...process.env, ...handed.env, MAYFLY_TASK: task.id },
      until: task.signal,
    });
    return code;
  } finally {
    stop?.();
    await handed?.close();
    // The exit code of the command is what counts, whether or not the broker can still be told.
    if (options.leaveOpen) task.leave();
    else await task.complete(code === 0 ? 'completed' : 'failed').catch(report);
  }
}
