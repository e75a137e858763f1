/** `mayfly policy …`: what helps to write policies. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.js';
import { addSuggest } from './suggest.js';
import { addTest } from './test.js';

export function addPolicy(program: Command, terminal: Terminal): void {
  const policy = program.command('policy').description('test policies, and narrow them by what was used');
  addTest(policy, terminal);
  addSuggest(policy, terminal);
}
