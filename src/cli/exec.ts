/** `mayfly exec`: runs a command under a task of its own. The task ends with the command, and the command with the task. */
import { spawn } from 'node:child_process';
import { constants, tmpdir } from 'node:os';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { mayfly, type Task } from '../client/index.js';
import { defined } from '../domain/defined.js';
import { brokerUrl, readIdentity } from './broker-options.js';
import { Exit, type Terminal } from './terminal.js';

interface Options {
  broker: string;
  tokenFile: string;
  purpose: string;
  target: string;
  access?: string[];
  lifetime?: number;
  heartbeat?: number;
  leaveOpen?: true;
}

const EXAMPLE = `
  mayfly exec --broker https://mayfly.example --token-file /var/run/secrets/mayfly/token \\
    --purpose triage --target https://tickets.example --access incident/4711:read -- node agent.js

The command finds a credential in the file that MAYFLY_TOKEN_FILE names, replaced ahead of its end, and the id of the task in
MAYFLY_TASK. Exit code 0 completes the task; any other, or a signal, fails it. If somebody else ends the task, the command is
told to end (SIGTERM), and ten seconds later it is killed.`;

function wholeSeconds(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number of seconds.');
}

/** A command that is told to end gets so long. */
const PATIENCE_MS = 10_000;
/** The file is looked at so often; the client renews its credentials well ahead. */
const REFRESH_MS = 5_000;
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function addExec(program: Command, { err }: Terminal): void {
  program
    .command('exec')
    .description('run a command under a task of its own, with a credential that dies with it')
    .requiredOption('--broker <url>', 'the issuer of the broker')
    .requiredOption('--token-file <path>', 'the identity token of the workload; it is read again each time')
    .requiredOption('--purpose <text>', 'what the task is for')
    .requiredOption('--target <resource>', 'the target of the credential')
    .option('--access <scopes...>', 'what it may do, as <path>:<action>; default: what the target says')
    .option('--lifetime <seconds>', 'how long each credential lives; default: as the broker has it', wholeSeconds)
    .option('--heartbeat <seconds>', 'how often the broker hears that the command runs; default: 30', wholeSeconds)
    .option('--leave-open', 'do not end the task with the command: another process goes on with it')
    .argument('<command...>', 'the command, after --')
    .addHelpText('after', EXAMPLE)
    .action(async (command: string[], options: Options) => {
      throw new Exit(await underTask(command, options, err));
    });
}

async function underTask(command: readonly string[], options: Options, err: (text: string) => void): Promise<number> {
  const report = (error: unknown) => err(error instanceof Error ? error.message : 'failed');
  const url = brokerUrl(options.broker, '/').origin;
  const broker = mayfly({ url, identity: () => readIdentity(options.tokenFile) });
  const task = await broker.task(defined({ purpose: options.purpose, heartbeatSeconds: options.heartbeat }));
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-exec-'));
  const credential = keptIn(join(directory, 'token'), task, options);
  let refreshing: NodeJS.Timeout | undefined;
  let code = 1;
  try {
    await credential.write();
    refreshing = setInterval(() => void credential.write().catch(report), REFRESH_MS);
    code = await ended(command, { task, file: credential.file, err });
    return code;
  } finally {
    clearInterval(refreshing);
    await rm(directory, { recursive: true, force: true });
    // The exit code of the command is what counts, whether or not the broker can still be told.
    if (options.leaveOpen) task.leave();
    else await task.complete(code === 0 ? 'completed' : 'failed').catch(report);
  }
}

/** A file that has the credential of the task, and that is replaced when there is another. */
function keptIn(file: string, task: Task, { target, access, lifetime }: Options) {
  const wish = defined({ access, lifetimeSeconds: lifetime });
  let last: string | undefined;
  return {
    file,
    async write() {
      const { token } = await task.credential(target, wish);
      if (token === last) return;
      // A file that is renamed is never read half written.
      await writeFile(`${file}.new`, token, { mode: 0o600 });
      await rename(`${file}.new`, file);
      last = token;
    },
  };
}

interface Running {
  task: Task;
  file: string;
  err: (text: string) => void;
}

/** Returns the exit code of the command: as a shell says it, 128 and the number of the signal that ended it. */
function ended([name = '', ...argv]: readonly string[], { task, file, err }: Running): Promise<number> {
  const env = { ...process.env, MAYFLY_TOKEN_FILE: file, MAYFLY_TASK: task.id };
  const child = spawn(name, argv, { stdio: 'inherit', env });
  const forward = (signal: NodeJS.Signals) => void child.kill(signal);
  for (const signal of FORWARDED) process.on(signal, forward);
  let killing: NodeJS.Timeout | undefined;
  const end = () => {
    err(`${(task.signal.reason as Error).message} The command is told to end.`);
    child.kill('SIGTERM');
    killing = setTimeout(() => void child.kill('SIGKILL'), PATIENCE_MS);
  };
  task.signal.addEventListener('abort', end);
  return new Promise<number>((resolve, reject) => {
    child.on('error', (cause) => {
      reject(new Error(`${name} cannot be run.`, { cause }));
    });
    child.on('exit', (code, signal) => {
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  }).finally(() => {
    clearTimeout(killing);
    task.signal.removeEventListener('abort', end);
    for (const signal of FORWARDED) process.off(signal, forward);
  });
}
