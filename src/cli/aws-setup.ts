/** `mayfly aws setup`: what an AWS account needs for a target. Printed for somebody to read and apply; nothing here reaches AWS. */
import { defined } from '../domain/defined.js';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.js';
import { accountSetup } from './aws-setup/account-setup.js';
import { terraformOf } from './aws-setup/terraform.js';
import type { Terminal } from './terminal.js';

interface Options {
  target: string;
  action?: string[];
  on?: string[];
  terraform?: boolean;
  config?: string;
}

export function addAwsSetup(aws: Command, { out }: Terminal): void {
  aws
    .command('setup')
    .description('print the OIDC provider, roles and policies that a target needs, as JSON or Terraform; apply nothing')
    .requiredOption('--target <role ARN>', 'the resource of the target')
    .option('--action <actions...>', 'what its sessions may do at most, such as s3:GetObject; default: a placeholder')
    .option('--on <resource ARNs...>', 'and on what')
    .option('--terraform', 'as HCL')
    .option('-c, --config <file>', 'the configuration of the broker; default: MAYFLY_CONFIG')
    .action(async ({ config: path, target, terraform, action, on }: Options) => {
      const { config } = await loadConfig(defined({ path, checkFiles: false }));
      const setup = accountSetup(config, target, { actions: action ?? [], resources: on ?? [] });
      out(terraform === true ? terraformOf(setup) : JSON.stringify(setup, null, 2));
    });
}
