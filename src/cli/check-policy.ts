/** `mayfly check-policy`: says whether a broker would take a policy directory, and every problem if it would not. */
import type { Command } from 'commander';
import { approvalAdvice } from '../config/approval-advice.js';
import { loadConfig } from '../config/load.js';
import { cedarDirectory, trialDirectory } from '../config/policy-schema.js';
import { findingText } from '../config/problem.js';
import { defined } from '../domain/defined.js';
import { checkPolicies } from '../policy/cedar/check-policies.js';
import { problemText } from '../policy/cedar/problem.js';
import type { Terminal } from './terminal.js';

export function addCheckPolicy(program: Command, { out }: Terminal): void {
  program
    .command('check-policy')
    .description('parse policies and hold them against the schema, as a start would; say file, line and reason')
    .argument('[directory]', 'the policies; default: those of the configuration, and those it has on trial')
    .option(
      '-c, --config <file>',
      'the configuration that they speak of: its targets, labels, issuers, claims and purposes; default: MAYFLY_CONFIG',
    )
    .action(async (directory: string | undefined, { config: path }: { config?: string }) => {
      const { config } = await loadConfig(defined({ path, checkFiles: false }));
      const trial = directory === undefined ? trialDirectory(config) : undefined;
      const places = [cedarDirectory(config, directory), ...(trial === undefined ? [] : [trial])];
      const checks = await Promise.all(
        places.map(async (where) => ({ where, ...(await checkPolicies(where, config)) })),
      );
      const problems = checks.flatMap((check) => check.problems);
      // A broker takes both directories, or neither.
      if (problems.length > 0) throw new Error(problems.map(problemText).join('\n'));
      for (const { where, notes, summary } of checks) {
        out(`${where}: sound; ${summary.permits} permits, ${summary.forbids} forbids, digest ${summary.digest ?? ''}`);
        for (const id of summary.ids) out(`  ${id}`);
        for (const note of notes) out(`note: ${problemText(note)}`);
      }
      if (checks.some(({ asks }) => asks.length > 0))
        for (const advice of approvalAdvice(config)) out(`note: ${findingText(advice)}`);
    });
}
