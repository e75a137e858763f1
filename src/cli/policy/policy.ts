/** `mayfly policy …`: what helps to write policies. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.js';
import { addDiff } from './diff.js';
import { addExplain } from './explain.js';
import { addSuggest } from './suggest.js';
import { addTest } from './test.js';

export function addPolicy(program: Command, terminal: Terminal): void {
  const policy = program
    .command('policy')
    .description('test policies, explain their answers, and narrow them by what was used');
  addTest(policy, terminal);
  addExplain(policy, terminal);
  addDiff(policy, terminal);
  addSuggest(policy, terminal);
}
