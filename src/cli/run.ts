/**
 * Runs one command line: the answer goes to `out`, errors go to `err`, and the exit code is returned. Each command has its own
 * file, which is loaded for that command alone: `mayfly exec` must not wait for the policy engine and the stores.
 */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../config/package-file.js';
import { Exit, type Terminal } from './terminal.js';

const AFTER_HELP = `
The configuration is the file given, or the one MAYFLY_CONFIG names.
Exit codes: 0 done, 1 not done or something is wrong with what was checked.`;

type Add = (program: Command, terminal: Terminal) => void;

/** By name, in the order of `--help`. */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  'check-config': () => import('./check-config.js').then(({ addCheckConfig }) => addCheckConfig),
  'check-policy': () => import('./check-policy.js').then(({ addCheckPolicy }) => addCheckPolicy),
  doctor: () => import('./doctor.js').then(({ addDoctor }) => addDoctor),
  'verify-audit': () => import('./verify-audit.js').then(({ addVerifyAudit }) => addVerifyAudit),
  exec: () => import('./exec.js').then(({ addExec }) => addExec),
  timeline: () => import('./timeline.js').then(({ addTimeline }) => addTimeline),
  revocations: () => import('./revocations.js').then(({ addRevocations }) => addRevocations),
  'agreed-time': () => import('./agreed-time.js').then(({ addAgreedTime }) => addAgreedTime),
  canary: () => import('./canary.js').then(({ addCanary }) => addCanary),
  'rotate-keys': () => import('./rotate-keys.js').then(({ addRotateKeys }) => addRotateKeys),
  'dev-token': () => import('./dev-token.js').then(({ addDevToken }) => addDevToken),
  aws: () => import('./aws/setup.js').then(({ addAws }) => addAws),
  'aws-credentials': () => import('./aws/credentials.js').then(({ addAwsCredentials }) => addAwsCredentials),
};

export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const program = new Command('mayfly')
    .description('Just-in-time credentials for software agents: one for each task, dead when the task is.')
    .version(packageVersion())
    .addHelpText('after', AFTER_HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    });
  for (const load of loadersFor(argv)) (await load())(program, terminal);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has already printed what was wrong with the command line.
    if (error instanceof CommanderError) return error.exitCode;
    if (error instanceof Exit) return error.code;
    terminal.err(error instanceof Error ? error.message : 'failed');
    return 1;
  }
}

/** Returns the loader of the command that is named, and those of all commands where none of them is: for `--help`, or to say so. */
function loadersFor([name = '']: readonly string[]): readonly (() => Promise<Add>)[] {
  const named = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  return named ? [named] : Object.values(COMMANDS);
}
