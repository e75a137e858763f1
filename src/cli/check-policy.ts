/** `mayfly check-policy`: whether a policy directory would be taken into force, and if not, why not. */
import type { Command } from 'commander';
import { loadConfig } from '../config/load.js';
import { checkPolicies } from '../policy/check-policies.js';
import { problemText } from '../policy/problem.js';
import type { Terminal } from './terminal.js';

export function addCheckPolicy(program: Command, { out }: Terminal): void {
  program
    .command('check-policy')
    .description('parse policies and hold them against the schema, as a start would; say file, line and reason')
    .argument('[directory]', 'the policies; default: those of the configuration')
    .option('-c, --config <file>', 'the configuration whose targets they are for')
    .action(async (directory: string | undefined, { config: file }: { config?: string }) => {
      const loaded = await configFor(directory, file);
      const where = directory ?? loaded?.config.policy.directory ?? '.';
      const { problems, summary } = await checkPolicies(where, loaded?.config.targets ?? []);
      if (problems.length > 0) throw new Error(problems.map(problemText).join('\n'));
      out(`${where}: sound; ${summary.permits} permits, ${summary.forbids} forbids, digest ${summary.digest ?? ''}`);
      for (const id of summary.ids) out(`  ${id}`);
    });
}

/** Policies can be checked by themselves, where there is no configuration yet: then without any target's labels. */
async function configFor(directory: string | undefined, file: string | undefined) {
  if (directory !== undefined && file === undefined) return undefined;
  return loadConfig({ ...(file !== undefined && { path: file }), checkFiles: false });
}
