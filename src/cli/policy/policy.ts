/** `mayfly policy …`: what helps to write policies, from what the broker has seen. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.js';
import { addSuggest } from './suggest.js';

export function addPolicy(program: Command, terminal: Terminal): void {
  addSuggest(program.command('policy').description('help with policies, from what was used'), terminal);
}
