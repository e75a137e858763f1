/**
 * Runs one command line: the answer goes to `out`, errors go to `err`, and the exit code is returned. Each command has its own
 * file.
 */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../config/package-file.js';
import { addAgreedTime } from './agreed-time.js';
import { addAwsCredentials } from './aws/credentials.js';
import { addAws } from './aws/setup.js';
import { addCanary } from './canary.js';
import { addCheckConfig } from './check-config.js';
import { addCheckPolicy } from './check-policy.js';
import { addDevToken } from './dev-token.js';
import { addDoctor } from './doctor.js';
import { addRevocations } from './revocations.js';
import { addExec } from './exec.js';
import { addRotateKeys } from './rotate-keys.js';
import { Exit, type Terminal } from './terminal.js';
import { addTimeline } from './timeline.js';
import { addVerifyAudit } from './verify-audit.js';

const AFTER_HELP = `
The configuration is the file given, or the one MAYFLY_CONFIG names.
Exit codes: 0 done, 1 not done or something is wrong with what was checked.`;

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
  addCheckConfig(program, terminal);
  addCheckPolicy(program, terminal);
  addDoctor(program, terminal);
  addVerifyAudit(program, terminal);
  addExec(program, terminal);
  addTimeline(program, terminal);
  addRevocations(program, terminal);
  addAgreedTime(program, terminal);
  addCanary(program, terminal);
  addRotateKeys(program, terminal);
  addDevToken(program, terminal);
  addAws(program, terminal);
  addAwsCredentials(program, terminal);
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
