/** `mayfly aws …`: what concerns targets that are IAM roles. */
import type { Command } from 'commander';
import { addAwsSetup } from './aws-setup.js';
import type { Terminal } from './terminal.js';

export function addAws(program: Command, terminal: Terminal): void {
  const aws = program.command('aws').description('for targets that are IAM roles');
  addAwsSetup(aws, terminal);
}
