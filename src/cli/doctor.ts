/** `mayfly doctor`: tries everything that a broker needs, and says what is wrong before the first caller does. */
import type { Command } from 'commander';
import { examine } from '../compose/doctor.js';
import { loadConfig } from '../config/load.js';
import { defined } from '../domain/defined.js';
import type { Terminal } from './terminal.js';

export function addDoctor(program: Command, { out, clock }: Terminal): void {
  program
    .command('doctor')
    .description('try store, rights, clocks, policies, keys of issuers and targets; say everything that is wrong')
    .argument('[file]', 'the configuration; default: MAYFLY_CONFIG')
    .action(async (file: string | undefined) => {
      const checks = await examine(await loadConfig(defined({ path: file })), clock);
      for (const { name, ok, degrades, reason } of checks) {
        const verdict = ok ? 'ok   ' : degrades ? 'note ' : 'wrong';
        out(`${verdict} ${name}${reason === undefined ? '' : `: ${reason}`}`);
      }
      const wrong = checks.filter(({ ok, degrades }) => !ok && !degrades).length;
      if (wrong > 0) throw new Error(`${wrong} of ${checks.length} checks failed.`);
    });
}
