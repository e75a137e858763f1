/** `mayfly aws setup`: prints what an AWS account needs for a target, for an administrator to read and apply. It calls no AWS. */
import { Option, type Command } from 'commander';
import type { Terminal } from '../terminal.js';
import { loadConfig } from '../../config/load.js';
import { defined } from '../../domain/defined.js';
import { accountSetup } from './account-setup.js';
import { terraformOf } from './terraform.js';

interface Options {
  target: string;
  action?: string[];
  on?: string[];
  terraform?: boolean;
  context?: boolean;
  config?: string;
}

export function addAws(program: Command, { out }: Terminal): void {
  program
    .command('aws')
    .description('for targets that are IAM roles')
    .command('setup')
    .description('print the OIDC provider, roles and policies that a target needs, as JSON or Terraform; apply nothing')
    .requiredOption('--target <role ARN>', 'the resource of the target')
    .option('--action <actions...>', 'what its sessions may do at most, such as s3:GetObject; default: a placeholder')
    .option('--on <resource ARNs...>', 'and on what')
    .option('--terraform', "in Terraform's JSON syntax, for a file *.tf.json")
    .addOption(
      new Option('--context', 'have AWS know for whom each session is (trusted identity propagation)').conflicts(
        'terraform',
      ),
    )
    .option('-c, --config <file>', 'the configuration of the broker; default: MAYFLY_CONFIG')
    .action(async ({ config: path, target, terraform, action, on, context }: Options) => {
      const { config } = await loadConfig(defined({ path, checkFiles: false }));
      const setup = accountSetup(config, target, {
        ...{ actions: action ?? [], resources: on ?? [] },
        context: context === true,
      });
      out(JSON.stringify(terraform === true ? terraformOf(setup) : setup, null, 2));
    });
}
