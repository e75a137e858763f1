/**
 * Runs one command line: the answer goes to `out`, errors go to `err`, and the exit code is returned. Each command has its own
 * file, which is loaded for that command alone: `mayfly exec` must not wait for the policy engine and the stores.
 */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../config/package-file.js';
import { Exit, type Terminal } from './terminal.js';

const AFTER_HELP = `
The configuration is the file given, or the one MAYFLY_CONFIG names. Commands over HTTP speak to the broker of \`mayfly login\`,
or to --broker or MAYFLY_BROKER with the identity token of --token-file or MAYFLY_TOKEN.
Exit codes: 0 done; 1 not done, refused, not confirmed, or something is wrong with what was checked.`;

type Add = (program: Command, terminal: Terminal) => void;
type Loaders = Readonly<Record<string, () => Promise<Add>>>;

/** By who runs them and by name, in the order of `--help`. */
const ROLES: Readonly<Record<string, Loaders>> = {
  'Agents:': {
    exec: () => import('./exec.js').then(({ addExec }) => addExec),
    proxy: () => import('./proxy.js').then(({ addProxy }) => addProxy),
    headers: () => import('./headers.js').then(({ addHeaders }) => addHeaders),
    'aws-credentials': () => import('./aws/credentials.js').then(({ addAwsCredentials }) => addAwsCredentials),
  },
  'People who watch over agents, over HTTP:': {
    login: () => import('./people/login.js').then(({ addLogin }) => addLogin),
    logout: () => import('./people/login.js').then(({ addLogout }) => addLogout),
    whatis: () => import('./people/whatis.js').then(({ addWhatis }) => addWhatis),
    tasks: () => import('./people/tasks.js').then(({ addTasks }) => addTasks),
    tree: () => import('./people/tree.js').then(({ addTree }) => addTree),
    workloads: () => import('./people/workloads.js').then(({ addWorkloads }) => addWorkloads),
    timeline: () => import('./timeline.js').then(({ addTimeline }) => addTimeline),
    approvals: () => import('./people/approvals.js').then(({ addApprovals }) => addApprovals),
    holds: () => import('./people/holds.js').then(({ addHolds }) => addHolds),
    revoke: () => import('./people/revoke.js').then(({ addRevoke }) => addRevoke),
    lift: () => import('./people/holds.js').then(({ addLift }) => addLift),
    drill: () => import('./drill/command.js').then(({ addDrill }) => addDrill),
    policy: () => import('./policy/policy.js').then(({ addPolicy }) => addPolicy),
  },
  'Operators, before the broker runs:': {
    'check-config': () => import('./check-config.js').then(({ addCheckConfig }) => addCheckConfig),
    'check-policy': () => import('./check-policy.js').then(({ addCheckPolicy }) => addCheckPolicy),
    doctor: () => import('./doctor.js').then(({ addDoctor }) => addDoctor),
    aws: () => import('./aws/setup.js').then(({ addAws }) => addAws),
    'dev-token': () => import('./dev-token.js').then(({ addDevToken }) => addDevToken),
  },
  "Operators, on the broker's host:": {
    revocations: () => import('./revocations.js').then(({ addRevocations }) => addRevocations),
    'agreed-time': () => import('./agreed-time.js').then(({ addAgreedTime }) => addAgreedTime),
    'rotate-keys': () => import('./rotate-keys.js').then(({ addRotateKeys }) => addRotateKeys),
    canary: () => import('./canary.js').then(({ addCanary }) => addCanary),
  },
  'Auditors:': {
    'verify-audit': () => import('./verify-audit.js').then(({ addVerifyAudit }) => addVerifyAudit),
  },
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
  for (const [role, loaders] of rolesFor(argv)) {
    program.commandsGroup(role);
    for (const load of loaders) (await load())(program, terminal);
  }
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
function rolesFor([name = '']: readonly string[]): readonly (readonly [string, readonly (() => Promise<Add>)[]])[] {
  const roles = Object.entries(ROLES).map(([role, loaders]) => [role, new Map(Object.entries(loaders))] as const);
  for (const [role, loaders] of roles) {
    const load = loaders.get(name);
    if (load) return [[role, [load]]];
  }
  return roles.map(([role, loaders]) => [role, [...loaders.values()]]);
}
